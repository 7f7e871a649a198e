//! The program as a user starts and stops it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let template = folder.join("template.yaml");
    std::fs::write(&template, "Resources: {}\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.current_dir(folder).env_clear().args(arguments);
    command.env("SWITCHBOARD_TEMPLATE", template).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and waits for its line; says where it listens.
fn start(folder: &Path) -> (Child, String) {
    let mut child = program(folder, &["--port", "0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on http://").expect(&line).to_owned();
    (child, address)
}

#[test]
fn it_says_where_it_listens_and_a_signal_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = start(folder.path());
    let mut socket = std::net::TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut socket, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(folder.path().join(".switchboard/data.db").exists());

    let second = program(folder.path(), &["--port", "0"]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && said.contains("in use by another switchboard"), "{said}");

    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success() && child.wait().unwrap().success());
    // And again: nothing is left that would be in the way, also after a kill.
    let (mut child, _) = start(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, _) = start(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_prints_tokens_and_refuses_the_known_secret_in_public() {
    let folder = tempfile::tempdir().unwrap();
    let token = program(folder.path(), &["token", "ann", "--ttl", "5m"]).output().unwrap();
    assert_eq!(String::from_utf8(token.stdout).unwrap().trim_end().split('.').count(), 3);
    let refused = program(folder.path(), &["serve", "--host", "0.0.0.0"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--secret"), "{said}");
}
