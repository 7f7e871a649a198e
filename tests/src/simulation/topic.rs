//! The topic of a world that chunks of large audiences travel by: a FIFO topic as SNS promises it, under the SDK's own
//! client, in front of the [`Queue`].
//!
//! A call may be refused as a whole, take some of its messages, be never answered, or be answered after all was taken:
//! whoever publishes does not know, and publishes again.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
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
use switchboard::topic::wire::{self, Outcome};

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
        wire::client(SharedHttpConnector::new(Connector(Arc::clone(self))))
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
            return response(400, wire::error("Throttled", "later"));
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
        let published = wire::messages(fields).into_iter().map(|asked| {
            if self.weather.strikes(&self.dice, self.weather.rates().unpublished) {
                return (asked.id, Outcome::Failed);
            }
            self.queue.send(asked.group.unwrap_or_default(), asked.once.unwrap_or_default(), asked.body);
            (asked.id, Outcome::Taken(format!("m-{}", asked.id)))
        });
        wire::answer(published)
    }
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
        let fields = wire::fields(request.body().bytes().unwrap_or_default());
        HttpConnectorFuture::new(async move { topic.answer(fields).await })
    }
}
