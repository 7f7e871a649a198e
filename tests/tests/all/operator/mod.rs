//! What whoever runs it sees: metrics, logs, the dashboard and the alarms, and the one host before all APIs.

mod distribution;
mod logs;
mod metrics;
mod monitoring;

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use handlers::delivery::road::Settings;
use serde_json::Value;
use switchboard::Options;

use crate::harness::Server;

/// What `GET /metrics` shows: each line's number by the words before it.
async fn shown(server: &Server) -> BTreeMap<String, u64> {
    let told = server.api(Vec::new()).get("/metrics").await.expect(200);
    let lines = told.as_str().unwrap().lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, n)| (name.to_owned(), n.parse().unwrap()))
        .collect()
}

/// The functions in processes of their own, which say all that they can say; and the file in which it is kept.
async fn in_processes(folder: &Path) -> (Server, PathBuf) {
    let log = folder.join("log");
    let this = std::env::current_exe().unwrap();
    for endpoint in handlers::endpoints() {
        let script = format!(
            "#!/bin/sh\nRUST_LOG=debug exec '{}' --ignored --exact operator::a_process_of_a_function --nocapture >>'{}' 2>&1\n",
            this.display(),
            log.display()
        );
        let program = folder.join(endpoint.name);
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    // The fan-out serves its audiences itself, however the tests are run.
    let change = |options: &mut Options| options.road = Settings::default();
    (Server::start_on(Some(folder.to_owned()), change).await, log)
}

#[test]
#[ignore = "the child process of the tests beside it"]
fn a_process_of_a_function() {
    let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap();
    let endpoint = handlers::endpoints().into_iter().find(|endpoint| endpoint.name == name).unwrap();
    let _ended = functions::serve(endpoint);
}

/// The lines that are JSON: those of the functions, without what the test's own harness says before it runs one.
fn json_lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
