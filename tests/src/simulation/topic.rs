//! The topic of a world that chunks of large audiences travel by: a FIFO topic as SNS promises it, under the SDK's own
//! client, in front of the [`Queue`].
//!
//! A call may be refused as a whole, take some of its messages, be never answered, or be answered after all was taken:
//! whoever publishes does not know, and publishes again.

use std::{
    collections::BTreeMap,
    fmt,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
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

use super::{dice::Dice, queue::Queue, time, weather::Weather};

/// Its name.
pub const ARN: &str = "arn:aws:sns:us-east-1:000000000000:chunks.fifo";

/// The topic.
pub struct Topic {
    queue: Arc<Queue>,
    /// Until when it takes nothing.
    down: AtomicU64,
    dice: Dice,
    weather: Weather,
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").finish_non_exhaustive()
    }
}

impl Topic {
    /// The topic in front of this queue.
    #[must_use]
    pub fn new(seed: u64, queue: &Arc<Queue>, weather: Weather) -> Arc<Self> {
        Arc::new(Self {
            queue: Arc::clone(queue),
            down: AtomicU64::new(0),
            dice: Dice::new(seed, "topic"),
            weather,
        })
    }

    /// The SDK's client for it.
    #[must_use]
    pub fn client(self: &Arc<Self>) -> Client {
        let connector = SharedHttpConnector::new(Connector(Arc::clone(self)));
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .allow_no_auth()
            .region(Region::from_static("us-east-1"))
            .endpoint_url("http://local.invalid")
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    async fn answer(&self, fields: BTreeMap<String, String>) -> Result<HttpResponse, ConnectorError> {
        let rates = self.weather.rates();
        let strikes = |chance| self.weather.strikes(&self.dice, chance);
        if strikes(rates.outage) {
            self.down.store(time::millis() + self.dice.between(500, 6_000), Relaxed);
        }
        let down = !self.weather.is_fair() && time::millis() < self.down.load(Relaxed);
        let (refused, before, after) =
            (strikes(rates.unpublished) || down, strikes(rates.publish_lost), strikes(rates.publish_lost));
        time::pass(self.dice.below(3)).await;
        if refused {
            return response(400, error());
        }
        if !before {
            let answer = self.publish(&fields);
            time::pass(self.dice.below(3)).await;
            if !after {
                return response(200, answer);
            }
        }
        time::pass(900).await;
        Err(ConnectorError::timeout("no answer came".into()))
    }

    /// Takes the messages of a call, or some of them.
    fn publish(&self, fields: &BTreeMap<String, String>) -> String {
        let (mut taken, mut failed) = (String::new(), String::new());
        let entries = (1..).map(|n| format!("PublishBatchRequestEntries.member.{n}"));
        for entry in entries.take_while(|entry| fields.contains_key(&format!("{entry}.Id"))) {
            let of =
                |name: &str| fields.get(&format!("{entry}.{name}")).map(String::as_str).unwrap_or_default();
            let id = of("Id");
            // Writing into a string cannot fail.
            let _ = if self.weather.strikes(&self.dice, self.weather.rates().unpublished) {
                write!(
                    failed,
                    "<member><Id>{id}</Id><Code>Throttled</Code><Message>later</Message>\
                     <SenderFault>false</SenderFault></member>"
                )
            } else {
                self.queue.send(of("MessageGroupId"), of("MessageDeduplicationId"), of("Message"));
                write!(taken, "<member><Id>{id}</Id><MessageId>m-{id}</MessageId></member>")
            };
        }
        format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Successful>{taken}</Successful><Failed>{failed}</Failed></PublishBatchResult></PublishBatchResponse>"
        )
    }
}

/// The fields of a form.
fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
}

fn error() -> String {
    "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
     <Code>Throttled</Code><Message>later</Message></Error></ErrorResponse>"
        .to_owned()
}

fn response(status: u16, body: String) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body)))
}

#[derive(Debug)]
struct Connector(Arc<Topic>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let topic = Arc::clone(&self.0);
        let fields = fields(request.body().bytes().unwrap_or_default());
        HttpConnectorFuture::new(async move { topic.answer(fields).await })
    }
}
