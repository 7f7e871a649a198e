//! The topic of chunks and the queue behind it: what is published can be received after a while.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_sns::Client;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use switchboard::topic::{
    queue::{Limits, Queue},
    wire::{self, Outcome},
};
use tokio::time::sleep;

use super::meter::Meter;

/// Longer than any call here takes.
const VISIBILITY: Duration = Duration::from_secs(3_600);

/// The topic, and its queue.
#[derive(Debug)]
pub struct Topic {
    meter: Meter,
    answers_in: Duration,
    /// From being published to being received.
    arrives_in: Duration,
    /// Gives out what was published.
    pub queue: Queue,
    published: Mutex<u64>,
}

impl Topic {
    /// An empty one, which takes so long to answer, and to pass something on.
    #[must_use]
    pub fn new(meter: Meter, [answers_in, arrives_in]: [Duration; 2]) -> Arc<Self> {
        let queue =
            Queue::new("chunks", Limits { visibility: VISIBILITY, receives: None, length: None }, None);
        Arc::new(Self { meter, answers_in, arrives_in, queue, published: Mutex::default() })
    }

    /// A client for it.
    #[must_use]
    pub fn client(self: &Arc<Self>) -> Client {
        wire::client(SharedHttpConnector::new(Connector(Arc::clone(self))))
    }

    /// Whether everything that was published has been received and is done.
    pub fn is_done(&self) -> bool {
        let published = *self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published == self.queue.mark() && self.queue.is_done_up_to(published)
    }

    /// Takes what `PublishBatch` says.
    fn publish(self: &Arc<Self>, body: &[u8]) -> String {
        let fields = wire::fields(body);
        let published = wire::messages(&fields).into_iter().map(|asked| {
            let message = {
                let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
                *published += 1;
                published.to_string()
            };
            let (group, once) = (asked.group.unwrap_or_default(), asked.once.unwrap_or_default());
            self.pass_on([&message, group, once, asked.body]);
            self.meter.count(|used| {
                used.chunks += 1.0;
                #[expect(clippy::cast_precision_loss, reason = "sizes of messages")]
                let bytes = asked.body.len() as f64;
                used.chunk_bytes += bytes;
            });
            (asked.id, Outcome::Taken(message))
        });
        wire::answer(published)
    }

    fn pass_on(self: &Arc<Self>, message: [&str; 4]) {
        let (topic, message) = (Arc::clone(self), message.map(str::to_owned));
        tokio::spawn(async move {
            sleep(topic.arrives_in).await;
            let [id, group, once, text] = &message;
            topic.queue.send(id, group, Some(once), text);
        });
    }
}

#[derive(Debug)]
struct Connector(Arc<Topic>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let topic = Arc::clone(&self.0);
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move {
            let answer = topic.publish(&body);
            sleep(topic.answers_in).await;
            let status = StatusCode::try_from(200);
            let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(answer)))
        })
    }
}
