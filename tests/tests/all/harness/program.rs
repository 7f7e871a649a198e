//! The program itself, `switchboard`, as a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use super::{http, http::Api, secrets};

/// The program's file, as of now: Cargo builds it beside this test, in the same profile, if it is not there.
/// `SWITCHBOARD_TEST_PROGRAM` names another one.
fn file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        if let Ok(file) = std::env::var("SWITCHBOARD_TEST_PROGRAM") {
            return file.into();
        }
        let own = std::env::current_exe().unwrap();
        // target/<profile>/deps/<this test>
        let folder = own.parent().and_then(Path::parent).unwrap();
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            name => name,
        };
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "switchboard",
                "--bin",
                "switchboard",
                "--profile",
                profile,
            ])
            .arg("--target-dir")
            .arg(folder.parent().unwrap())
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .status();
        assert!(built.unwrap().success(), "the program cannot be built");
        folder.join(format!("switchboard{}", std::env::consts::EXE_SUFFIX))
    })
}

/// The program with an environment of its own, in a folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(file());
    command.current_dir(folder).env_clear().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that listens. It is killed, as by `kill -9`, when it is dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) address: String,
    client: http::Client,
}

impl Program {
    /// Starts it, with these flags and the tests' secrets, and waits for its line.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = command(folder, arguments);
        let secrets = secrets();
        command.env("SWITCHBOARD_SECRET", secrets.server).env("SWITCHBOARD_TOKEN_KEY", secrets.token_key);
        command.env("SWITCHBOARD_PORT", "0").stderr(Stdio::inherit());
        Self::started(command)
    }

    /// Starts this command, and waits for its line.
    pub(crate) fn started(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("instead of its address: {line:?}")).to_owned();
        Self { child, address, client: http::client() }
    }

    /// Somebody who sends this `Authorization`.
    pub(crate) fn api(&self, authorization: String) -> Api {
        let headers = vec![("authorization".to_owned(), authorization)];
        Api::new(self.client.clone(), format!("http://{}", self.address), headers)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal; says whether it ended well.
    pub(crate) fn end_with(mut self, signal: &str) -> bool {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        sent.unwrap().success() && self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
