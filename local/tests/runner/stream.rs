//! The stream's trigger as Lambda's event source mapping has it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard::{Running, dynamodb::Storage};

use crate::world::{options, started, world};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) async fn put(running: &Running, partition: &str, sort: &str) {
    let put =
        running.items.put_item().table_name(&running.table).item("pk", s(partition)).item("sk", s(sort));
    put.send().await.unwrap();
}

#[tokio::test]
async fn records_are_filtered_batched_and_delivered_in_order() {
    let (running, world) = started(options("order")).await;
    let expected: Vec<_> = (0..50).map(|n| format!("{n:02}")).collect();
    for key in &expected {
        put(&running, "LOG#a", key).await;
        put(&running, "MEMBER#a", key).await;
    }
    running.drained().await;
    assert_eq!(world.delivered(), expected);
    assert!(world.batches.borrow().iter().all(|batch| batch.len() <= 4));
}

#[tokio::test]
async fn a_partial_failure_is_retried_from_its_lowest_record_on_and_then_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options("partial");
    options.storage = Storage::File(folder.path().join("data.db"));
    let (running, world) = started(options).await;
    world.failing.lock().unwrap().insert("b".to_owned());
    // One transaction, so that one batch holds all.
    let mut transaction = running.items.transact_write_items();
    for sort in ["a", "b", "c"] {
        let put = aws_sdk_dynamodb::types::Put::builder().table_name(&running.table);
        let put = put.item("pk", s("LOG#a")).item("sk", s(sort)).build().unwrap();
        let item = aws_sdk_dynamodb::types::TransactWriteItem::builder().put(put).build();
        transaction = transaction.transact_items(item);
    }
    transaction.send().await.unwrap();
    running.drained().await;
    let batches: Vec<_> = world.batches.borrow().iter().map(|batch| batch.concat()).collect();
    assert_eq!(
        batches,
        ["abc", "bc", "b", "b", "b", "c"],
        "retried from b, cut in two, b given up, c delivered"
    );
    let letters = folder.path().join("dead-letters/toy-stream.jsonl");
    let letter: serde_json::Value = serde_json::from_slice(&std::fs::read(letters).unwrap()).unwrap();
    assert_eq!(letter["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(letter["DDBStreamBatchInfo"]["batchSize"], 1);
}

#[tokio::test]
async fn a_record_that_is_too_old_is_given_up_and_the_next_are_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options("old");
    options.storage = Storage::File(folder.path().join("data.db"));
    // Without an end to the attempts it would be tried for ever.
    let aged = "MaximumRecordAgeInSeconds: 2";
    options.template = options.template.map(|text| text.replace("MaximumRetryAttempts: 2", aged));
    let (running, world) = started(options).await;
    world.failing.lock().unwrap().insert("a".to_owned());
    put(&running, "LOG#a", "a").await;
    running.drained().await;
    put(&running, "LOG#a", "b").await;
    running.drained().await;
    assert_eq!(world.delivered().last().unwrap(), "b");
    let attempts = world.delivered().iter().filter(|key| *key == "a").count();
    assert!(attempts > 3, "more than the retries that other tests have: {attempts}");
    let letters = folder.path().join("dead-letters/toy-stream.jsonl");
    let letter: serde_json::Value = serde_json::from_slice(&std::fs::read(letters).unwrap()).unwrap();
    assert_eq!(letter["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], attempts);
}

#[tokio::test]
async fn a_record_that_panics_is_cut_out_and_the_others_are_delivered() {
    let (running, world) = started(options("poison")).await;
    world.poison.lock().unwrap().insert("3".to_owned());
    for sort in ["0", "1", "2", "3", "4", "5", "6", "7"] {
        put(&running, "LOG#a", sort).await;
    }
    running.drained().await;
    let batches = world.batches.borrow().clone();
    let alone = batches.iter().filter(|batch| batch.concat() == "3").count();
    assert_eq!(alone, 3, "one attempt and two retries: {batches:?}");
    let without: Vec<_> = batches.iter().filter(|batch| !batch.contains(&"3".to_owned())).flatten().collect();
    assert_eq!(without, ["0", "1", "2", "4", "5", "6", "7"]);
}

/// A runtime that is dropped with everything in it is as near as a test comes to a kill.
pub(crate) fn run_and_kill<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let value = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(10));
    value
}

#[test]
fn a_restart_resumes_where_the_stream_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        let mut options = options(name);
        options.storage = Storage::File(folder.path().join("data.db"));
        options
    };
    run_and_kill(async {
        let (running, _) = started(of("first")).await;
        put(&running, "LOG#a", "1").await;
        running.drained().await;
        running.shutdown().await;
    });
    // Killed while its function fails: nothing after "1" was delivered.
    run_and_kill(async {
        let (running, world) = started(of("second")).await;
        world.poison.lock().unwrap().extend(["2".to_owned(), "3".to_owned()]);
        put(&running, "LOG#a", "2").await;
        put(&running, "LOG#a", "3").await;
        drop(running);
    });
    run_and_kill(async {
        let (running, _) = started(of("third")).await;
        running.drained().await;
    });
    assert_eq!(world("first").delivered(), ["1"]);
    assert!(!world("second").delivered().contains(&"1".to_owned()));
    assert_eq!(
        world("third").delivered(),
        ["2", "3"],
        "what was written is delivered, what was delivered is not"
    );
}

#[test]
fn a_record_does_not_age_while_the_program_is_off() {
    const AGE: Duration = Duration::from_secs(6);
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        let mut options = options(name);
        options.storage = Storage::File(folder.path().join("data.db"));
        let aged = format!("MaximumRecordAgeInSeconds: {}", AGE.as_secs());
        options.template = options.template.map(|text| text.replace("MaximumRetryAttempts: 2", &aged));
        options
    };
    run_and_kill(async {
        let (running, world) = started(of("failing")).await;
        world.failing.lock().unwrap().insert("1".to_owned());
        put(&running, "LOG#a", "1").await;
        drop(running);
    });
    // Off for longer than a record may wait for its delivery.
    std::thread::sleep(AGE + Duration::from_secs(1));
    run_and_kill(async {
        let (running, _) = started(of("well")).await;
        running.drained().await;
    });
    assert_eq!(world("well").delivered(), ["1"]);
    assert!(!folder.path().join("dead-letters/toy-stream.jsonl").exists());
}

#[tokio::test]
async fn an_expired_item_is_removed_and_its_removal_announced() {
    let (running, world) = started(options("ttl")).await;
    let past = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 10;
    let put = running.items.put_item().table_name(&running.table).item("pk", s("LOG#a")).item("sk", s("old"));
    put.item("ttl", AttributeValue::N(past.to_string())).send().await.unwrap();
    let mut batches = world.batches.subscribe();
    let removed = batches.wait_for(|batches| batches.concat().contains(&"-old".to_owned()));
    tokio::time::timeout(Duration::from_secs(60), removed).await.unwrap().unwrap();
}
