//! A queue's trigger: Lambda's event source mapping of SQS. Calls the function with batches, several at a time;
//! what it does not report as failed is deleted, the rest comes again when it is to be seen again.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use handlers::invocation::{Invocation, QueueMessage, Reply};
use tokio::{sync::watch, task::JoinSet};

use super::queue::Queue;
use crate::{invoke::Invoker, template::QueueMapping};

/// How long a function may take for a batch.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Calls the function until the server ends. What is being delivered then is delivered again by the next run,
/// unless it still succeeds.
pub(super) async fn run(
    queue: Arc<Queue>,
    mapping: QueueMapping,
    invoker: Invoker,
    mut closing: watch::Receiver<bool>,
) {
    let mut calls = JoinSet::new();
    let mut changes = queue.changes();
    while !*closing.borrow() {
        changes.mark_unchanged();
        let received = match calls.len() < mapping.concurrency {
            true => queue.receive(mapping.batch_size),
            false => Vec::new(),
        };
        if !received.is_empty() {
            calls.spawn(call(Arc::clone(&queue), mapping.clone(), invoker.clone(), received));
            continue;
        }
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            Some(_) = calls.join_next() => {}
            () = queue.stirred(&mut changes), if calls.len() < mapping.concurrency => {}
        }
    }
    while calls.join_next().await.is_some() {}
}

async fn call(queue: Arc<Queue>, mapping: QueueMapping, invoker: Invoker, messages: Vec<QueueMessage>) {
    let mut done: BTreeSet<String> = messages.iter().map(|message| message.id.clone()).collect();
    let name = mapping.endpoint.name;
    match invoker.invoke(mapping.endpoint, Invocation::Queue(messages), TIMEOUT).await {
        Ok(Reply::Batch(failed)) if mapping.partial => {
            if !failed.is_empty() {
                tracing::warn!(endpoint = name, failed = failed.len(), "messages failed, and come again");
            }
            done.retain(|id| !failed.contains(id));
        }
        Ok(Reply::Batch(_)) => {}
        Ok(Reply::Http(_)) => {
            tracing::error!(endpoint = name, "a function of the queue gave an HTTP reply");
            done.clear();
        }
        Err(_) => done.clear(),
    }
    queue.delete(&done);
}
