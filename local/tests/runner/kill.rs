//! A kill -9 loses nothing that was acknowledged.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard::{Options, dynamodb::Storage};

use crate::world::{options, started};

const FOLDER: &str = "RUNNER_KILL_FOLDER";

fn in_folder(name: &str, folder: impl Into<PathBuf>) -> Options {
    let mut options = options(name);
    options.storage = Storage::File(folder.into().join("data.db"));
    options
}

/// The process that is killed: writes until it dies, and says what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the test below"]
async fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (running, _) = started(in_folder("killed", folder)).await;
    for number in 0.. {
        let key = |text: String| AttributeValue::S(text);
        let put = running.items.put_item().table_name(&running.table);
        put.item("pk", key("LOG#a".to_owned())).item("sk", key(format!("{number:05}"))).send().await.unwrap();
        println!("acknowledged {number:05}");
    }
}

#[test]
fn what_was_acknowledged_is_delivered_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged = Vec::new();
    for line in lines {
        // The test's own name stands before the first one.
        acknowledged.extend(line.split_once("acknowledged ").map(|(_, number)| number.to_owned()));
        if acknowledged.len() == 300 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= 300);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (running, world) = started(in_folder("survivor", folder.path())).await;
        running.drained().await;
        let delivered = world.delivered();
        assert!(delivered.is_sorted(), "in order: {delivered:?}");
        let last = acknowledged.last().unwrap();
        assert!(delivered.last().is_none_or(|delivered| delivered >= last), "{last} and {delivered:?}");
        // What the killed process had delivered itself is the beginning; from there on nothing is missing.
        let first = delivered.first().map_or(acknowledged.len(), |first| first.parse().unwrap());
        assert_eq!(
            delivered.len() + first,
            delivered.last().map_or(first, |last| last.parse::<usize>().unwrap() + 1)
        );
        let query = running.items.query().table_name(&running.table).select("COUNT".into());
        let query = query.key_condition_expression("pk = :pk");
        let kept =
            query.expression_attribute_values(":pk", AttributeValue::S("LOG#a".to_owned())).send().await;
        assert!(usize::try_from(kept.unwrap().count()).unwrap() >= acknowledged.len());
        running.shutdown().await;
    });
}
