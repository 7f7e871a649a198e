//! Topics and queues on one machine: SNS under the unmodified SDK client, SQS and its trigger.
//!
//! # Layout
//! - [`wire`]: what the SDK's client says to SNS, and reads. `sns`: answered by these topics.
//! - [`queue`]: a FIFO queue: groups, deduplication, visibility, dead letters.
//! - `trigger`: calls a function with what a queue has. `webhook`: posts it to a URL.
//!
//! # Promises
//! - A queue lives in memory. Nothing is lost by a kill nevertheless: the stream's position is remembered only when
//!   everything that was published from before it has left the queues ([`crate::stream`]), so the records are
//!   brought again.
//! - Which topic is which, what subscribes to it, and who is called, is what the template says.

pub mod queue;
mod sns;
mod trigger;
mod webhook;
pub mod wire;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use handlers::delivery::topic::Topics;
use tokio::{sync::watch, task::JoinHandle};

use self::queue::Queue;
use crate::{
    invoke::Invoker,
    observer::Observer,
    template::{Application, QueueMapping},
};

pub use webhook::{Url, WebhookError};

/// The topics of a server, and what subscribes to them.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    topics: BTreeMap<String, Topic>,
    queues: BTreeMap<String, Arc<Queue>>,
    webhook: Option<Arc<Queue>>,
}

/// A topic.
#[derive(Debug)]
struct Topic {
    fifo: bool,
    subscribers: Vec<Arc<Queue>>,
}

/// The account and region of everything that is here.
fn arn(name: &str) -> String {
    format!("arn:aws:sns:us-east-1:000000000000:{name}")
}

/// What is published: to whom, in which group, and what tells it from others.
struct Message<'a> {
    body: &'a str,
    group: Option<&'a str>,
    once: Option<&'a str>,
}

impl Exchange {
    /// The topics and queues that the template names. `folder` keeps dead letters.
    pub(crate) fn new(application: &Application, folder: Option<&Path>, webhook: bool) -> Self {
        let queues = application.queues.iter().map(|(name, limits)| {
            (name.clone(), Arc::new(Queue::new(name, *limits, folder.map(Path::to_owned))))
        });
        let queues: BTreeMap<String, Arc<Queue>> = queues.collect();
        let webhook =
            webhook.then(|| Arc::new(Queue::new("webhook", webhook::LIMITS, folder.map(Path::to_owned))));
        let topics = application.topics.iter().map(|(name, fifo)| {
            let named = application.subscriptions.iter().filter(|(topic, _)| topic == name);
            let mut subscribers: Vec<_> = named.filter_map(|(_, queue)| queues.get(queue).cloned()).collect();
            if application.events_topic.as_ref() == Some(name) {
                subscribers.extend(webhook.clone());
            }
            (arn(name), Topic { fifo: *fifo, subscribers })
        });
        Self { topics: topics.collect(), queues, webhook }
    }

    /// The way to the topics.
    pub(crate) fn connector(self: &Arc<Self>, observer: Option<Arc<dyn Observer>>) -> SharedHttpConnector {
        sns::connector(Arc::clone(self), observer)
    }

    /// The topics, for handlers.
    pub(crate) fn topics(application: &Application, connector: SharedHttpConnector) -> Topics {
        Topics {
            client: Some(wire::client(connector)),
            chunks: application.chunks_topic.as_deref().map(arn),
            events: application.events_topic.as_deref().map(arn),
        }
    }

    /// The queues that what is published to a topic goes through.
    pub(crate) fn behind(&self, topic: Option<&String>) -> Vec<Arc<Queue>> {
        let topic = topic.and_then(|name| self.topics.get(&arn(name)));
        topic.map(|topic| topic.subscribers.clone()).unwrap_or_default()
    }

    /// Whether nobody subscribes to a topic that there is.
    pub(crate) fn is_idle(&self, topic: Option<&String>) -> bool {
        let topic = topic.and_then(|name| self.topics.get(&arn(name)));
        topic.is_some_and(|topic| topic.subscribers.is_empty())
    }

    /// Starts what takes from the queues.
    pub(crate) fn run(
        &self,
        mappings: &[QueueMapping],
        webhook: Option<&Url>,
        invoker: &Invoker,
        closing: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let triggers = mappings.iter().filter_map(|mapping| {
            let queue = Arc::clone(self.queues.get(&mapping.queue)?);
            Some(tokio::spawn(trigger::run(queue, mapping.clone(), invoker.clone(), closing.clone())))
        });
        let mut running: Vec<_> = triggers.collect();
        if let (Some(queue), Some(url)) = (&self.webhook, webhook) {
            running.push(tokio::spawn(webhook::run(Arc::clone(queue), url.clone(), closing.clone())));
        }
        running
    }

    /// Waits until everything that was published before this call has left the queues.
    pub(crate) async fn drained(&self) {
        for queue in self.queues.values().chain(&self.webhook) {
            queue.done_up_to(queue.mark()).await;
        }
    }

    /// Hands a message to all that subscribe.
    fn publish(&self, topic: &str, message: &Message<'_>) -> Result<String, Refusal> {
        let Some(topic) = self.topics.get(topic) else { return Err(Refusal::NotFound) };
        let id = crate::invoke::random_text(12);
        if topic.fifo {
            let (Some(group), Some(once)) = (message.group, message.once) else {
                return Err(Refusal::Invalid("a FIFO topic needs MessageGroupId and MessageDeduplicationId"));
            };
            for queue in &topic.subscribers {
                queue.send(&id, group, Some(once), message.body);
            }
        } else {
            for queue in &topic.subscribers {
                // No order among them.
                queue.send(&id, &id, None, message.body);
            }
        }
        Ok(id)
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NotFound,
    Invalid(&'static str),
}

/// A lock whose holder never panics while it holds it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
