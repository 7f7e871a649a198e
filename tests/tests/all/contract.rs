//! The program, as its user starts it, asks it for tokens and ends it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{
    http::basic,
    program::{Program, command},
    secrets,
    socket::Socket,
};

/// What the program says when it ends at once: on its error output.
fn refused(folder: &std::path::Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = command(folder, arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} {variables:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn it_says_where_it_listens_and_is_healthy_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--memory"][..], &["serve", "--memory"]] {
        let program = Program::start(folder.path(), arguments);
        assert!(program.address.starts_with("127.0.0.1:"), "{}", program.address);
        program.api(String::new()).get("/healthz").await.expect(200);
        assert!(program.end_with("TERM"), "a signal ends it in good order");
    }
    assert!(Program::start(folder.path(), &["--memory"]).end_with("INT"), "and so does ctrl-c");
    assert!(!folder.path().join(".switchboard").exists(), "nothing of `--memory` is kept");
}

#[tokio::test]
async fn its_tokens_open_its_doors() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &["--memory"]);
    let token = |arguments: &[&str], key: &str| {
        let all = [&["token"], arguments].concat();
        let output = command(folder.path(), &all).env("SWITCHBOARD_TOKEN_KEY", key).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let key = secrets().token_key;
    let ann = token(&["ann"], &key);
    let shown = program.api(format!("Bearer {ann}")).get("/v2/users/ann").await.expect(200);
    assert_eq!((&shown["id"], &shown["displayName"]), (&json!("ann"), &json!("ann")));
    let url = format!("ws://{}/api/v1/events?token={ann}", program.address);
    Socket::open("ann", url).await.unwrap().close().await;
    let made = json!({"id": "bob", "displayName": "Bob"});
    program.api(format!("Bearer {ann}")).post("/v2/users", made.clone()).await.expect(403);
    let admin = token(&["root", "--admin", "--ttl", "5m"], &key);
    program.api(format!("Bearer {admin}")).post("/v2/users", made).await.expect(201);
    let other = token(&["ann"], "another key");
    program.api(format!("Bearer {other}")).get("/v2/users/ann").await.expect(401);
    let over = token(&["ann", "--ttl", "0s"], &key);
    program.api(format!("Bearer {over}")).get("/v2/users/ann").await.expect(401);
    assert!(!command(folder.path(), &["token"]).output().unwrap().status.success());
}

#[tokio::test]
async fn its_secret_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &["--memory", "--secret", "flag"]);
    let user = json!({"id": "ann", "displayName": "Ann"});
    program.api(basic("flag:")).post("/v2/users", user.clone()).await.expect(201);
    for wrong in [basic(&secrets().server), basic("dev-secret"), basic(""), "flag".to_owned()] {
        let error = program.api(wrong).post("/v2/users", user.clone()).await.expect(401);
        assert_eq!(error["error"]["code"], "AUTHORIZATION_REQUIRED");
    }
}

#[test]
fn a_secret_that_everyone_knows_is_not_served_to_other_machines() {
    let folder = tempfile::tempdir().unwrap();
    let public = ["--host", "0.0.0.0", "--memory", "--port", "0"];
    for variables in [&[][..], &[("SWITCHBOARD_SECRET", "own")], &[("SWITCHBOARD_TOKEN_KEY", "own")]] {
        let said = refused(folder.path(), &public, variables);
        assert!(said.contains("--secret") && said.contains("--token-key"), "{said}");
    }
    let said = refused(folder.path(), &["--memory"], &[("SWITCHBOARD_HOST", "::")]);
    assert!(said.contains("--secret"), "{said}");
    assert!(
        Program::start(folder.path(), &public).address.starts_with("0.0.0.0:"),
        "with secrets of one's own"
    );
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, variables, told) in [
        (&["--memory", "--data", "x"][..], &[][..], "--data"),
        (&[], &[("SWITCHBOARD_MEMORY", "1"), ("SWITCHBOARD_DATA", "x")], "--memory"),
        (&["--host", "nowhere"], &[], "nowhere"),
        (&["--template", "missing.yaml", "--memory"], &[], "missing.yaml"),
        (&["--port", "70000"], &[], "70000"),
        (&["--unknown"], &[], "--unknown"),
    ] {
        let said = refused(folder.path(), arguments, variables);
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    let running = Program::start(folder.path(), &["--data", "own.db"]);
    let said = refused(folder.path(), &["--data", "own.db", "--port", "0"], &[]);
    assert!(said.contains("in use by another switchboard"), "{said}");
    let port = running.address.rsplit(':').next().unwrap();
    let said = refused(folder.path(), &["--memory", "--port", port], &[]);
    assert!(said.contains(port), "{said}");
}

#[tokio::test]
async fn what_it_was_told_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let user = json!({"id": "ann", "displayName": "Ann"});
    let server = basic(&secrets().server);
    let first = Program::start(folder.path(), &[]);
    first.api(server.clone()).post("/v2/users", user).await.expect(201);
    assert!(first.end_with("TERM"));
    assert!(folder.path().join(".switchboard/data.db").exists());
    let second = Program::start(folder.path(), &[]);
    let shown = second.api(server).get("/v2/users/ann").await.expect(200);
    assert_eq!(shown["displayName"], "Ann");
}

/// Budgets of the release build: `cargo build --release`, then
/// `SWITCHBOARD_TEST_PROGRAM=$PWD/target/release/switchboard cargo test -p tests it_starts -- --ignored --nocapture`.
#[test]
#[ignore = "a budget of the release build"]
fn it_starts_fast_and_idles_small() {
    let folder = tempfile::tempdir().unwrap();
    drop(Program::start(folder.path(), &[]));
    let mut starts = Vec::new();
    let mut memory = 0;
    for _ in 0..5 {
        let start = Instant::now();
        let program = Program::start(folder.path(), &[]);
        starts.push(start.elapsed());
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        memory = memory.max(kilobytes);
    }
    starts.sort();
    println!("start to ready: {starts:?}; idle memory: {memory} kB");
    assert!(starts[2] <= Duration::from_millis(300), "{starts:?}");
    assert!(memory <= 40 * 1024, "{memory} kB");
}
