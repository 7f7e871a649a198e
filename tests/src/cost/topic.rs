//! The topic of chunks and the queue behind it: what is published can be received after a while.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_sns::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use switchboard::topic::queue::{Limits, Queue};
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
        let queue = Queue::new("chunks", Limits { visibility: VISIBILITY, receives: None }, None);
        Arc::new(Self { meter, answers_in, arrives_in, queue, published: Mutex::default() })
    }

    /// A client for it.
    #[must_use]
    pub fn client(self: &Arc<Self>) -> Client {
        let connector = SharedHttpConnector::new(Connector(Arc::clone(self)));
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .allow_no_auth()
            .region(Region::new("us-east-1"))
            .endpoint_url("http://local.invalid")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    /// Whether everything that was published has been received and is done.
    pub fn is_done(&self) -> bool {
        let published = *self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published == self.queue.mark() && self.queue.is_done_up_to(published)
    }

    /// Takes what `PublishBatch` says, in AWS's query protocol.
    fn publish(self: &Arc<Self>, body: &[u8]) -> String {
        let fields: BTreeMap<String, String> = percent_decoded(body);
        let mut taken = String::new();
        for n in 1.. {
            let of = |name: &str| fields.get(&format!("PublishBatchRequestEntries.member.{n}.{name}"));
            let (Some(id), Some(text)) = (of("Id"), of("Message")) else { break };
            let (Some(group), Some(once)) = (of("MessageGroupId"), of("MessageDeduplicationId")) else {
                break;
            };
            let message = {
                let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
                *published += 1;
                published.to_string()
            };
            self.pass_on([&message, group, once, text]);
            self.meter.count(|used| {
                used.chunks += 1.0;
                #[expect(clippy::cast_precision_loss, reason = "sizes of messages")]
                let bytes = text.len() as f64;
                used.chunk_bytes += bytes;
            });
            // Writing into a string cannot fail.
            let _ = write!(taken, "<member><Id>{id}</Id><MessageId>{message}</MessageId></member>");
        }
        format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Successful>{taken}</Successful><Failed></Failed></PublishBatchResult></PublishBatchResponse>"
        )
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

/// The fields of a form.
fn percent_decoded(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body).replace('+', " ");
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
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
