//! SNS in this process: what the SDK's client asks for ([`wire`]), done by the topics.

use std::{collections::BTreeMap, fmt, sync::Arc};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use super::{
    Exchange, Message, Refusal,
    wire::{self, Asked, Outcome, error, fields, messages},
};
use crate::observer::{Observer, Operation, endpoint};

/// Messages of one call (SNS).
const MOST_MESSAGES: usize = 10;
/// Bytes of one call's messages (SNS).
const MOST_BYTES: usize = 256 * 1024;

/// These topics as the connector of an HTTP client.
pub(super) fn connector(exchange: Arc<Exchange>, observer: Option<Arc<dyn Observer>>) -> SharedHttpConnector {
    SharedHttpConnector::new(InProcess { exchange, observer })
}

struct InProcess {
    exchange: Arc<Exchange>,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let fields = fields(request.body().bytes().unwrap_or_default());
        let (status, body) = match answer(&self.exchange, &fields) {
            Ok(body) => (200, body),
            Err((status, code, message)) => (status, error(code, message)),
        };
        if let Some(observer) = &self.observer {
            let name = fields.get("Action").cloned().unwrap_or_default();
            let (actions, failed) = (vec!["Publish"], status != 200);
            let (read_units, write_units) = (0.0, 0.0);
            observer.observe(&Operation {
                endpoint: endpoint(),
                name,
                actions,
                appends: false,
                read_units,
                write_units,
                failed,
            });
        }
        let status = StatusCode::try_from(status);
        HttpConnectorFuture::ready(
            status
                .map(|status| HttpResponse::new(status, SdkBody::from(body)))
                .map_err(|error| ConnectorError::other(error.into(), None)),
        )
    }
}

type Failure = (u16, &'static str, &'static str);

fn answer(exchange: &Exchange, fields: &BTreeMap<String, String>) -> Result<String, Failure> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    if field("Action") != Some("PublishBatch") {
        return Err((400, "InvalidAction", "the runner's topics know PublishBatch only"));
    }
    let topic = field("TopicArn").unwrap_or_default();
    if !exchange.topics.contains_key(topic) {
        return Err((404, "NotFound", "Topic does not exist"));
    }
    let asked = messages(fields);
    let bytes: usize = asked.iter().map(|message| message.body.len()).sum();
    match asked.len() {
        0 => return Err((400, "EmptyBatchRequest", "The batch request contains no entries")),
        1..=MOST_MESSAGES if bytes <= MOST_BYTES => {}
        1..=MOST_MESSAGES => return Err((400, "BatchRequestTooLong", "The batch request is too long")),
        _ => return Err((400, "TooManyEntriesInBatchRequest", "The batch request has too many entries")),
    }
    let published = asked.into_iter().map(|Asked { id, body, group, once }| {
        let outcome = match exchange.publish(topic, &Message { body, group, once }) {
            Ok(message) => Outcome::Taken(message.to_string()),
            Err(Refusal::NotFound) => Outcome::Refused("NotFound", "Topic does not exist"),
            Err(Refusal::Invalid(why)) => Outcome::Refused("InvalidParameter", why),
        };
        (id, outcome)
    });
    Ok(wire::answer(published))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use handlers::delivery::topic::{Parcel, publish};

    use super::{
        super::{
            Topic, arn,
            queue::{Limits, Queue},
        },
        *,
    };

    #[tokio::test]
    async fn the_sdk_publishes_and_reads_every_answer() {
        let queue = Arc::new(Queue::new(
            "q",
            Limits { visibility: Duration::from_secs(1), receives: None, length: None },
            None,
        ));
        let topic = |fifo| Topic { fifo, subscribers: vec![Arc::clone(&queue)] };
        let topics = BTreeMap::from([(arn("fifo"), topic(true)), (arn("plain"), topic(false))]);
        let exchange = Arc::new(Exchange { topics, ..Exchange::default() });
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let observer = move |operation: &Operation| log.lock().unwrap().push(operation.clone());
        let client = wire::client(connector(exchange, Some(Arc::new(observer))));
        let text = |n: usize| format!("{n}: <&\"ä\n+ %= \u{1F600}>");
        let parcel = |n: usize, group: Option<&str>| Parcel {
            body: text(n),
            attributes: BTreeMap::from([("type", "a+b".to_owned())]),
            group: group.map(|group| (group.to_owned(), n.to_string())),
        };
        let parcels: Vec<Parcel> = (0..12).map(|n| parcel(n, Some("g"))).collect();
        assert!(publish(&client, &arn("fifo"), &parcels).await.unwrap().is_empty());
        let bodies: Vec<String> = queue.receive(99).into_iter().map(|message| message.body).collect();
        assert_eq!(bodies, (0..12).map(text).collect::<Vec<_>>());
        assert!(publish(&client, &arn("fifo"), &parcels).await.unwrap().is_empty(), "taken, and known");
        assert_eq!(queue.mark(), 12);
        assert!(publish(&client, &arn("plain"), &[parcel(1, None)]).await.unwrap().is_empty());
        assert_eq!(queue.mark(), 13);
        let mixed = [parcel(20, Some("g")), parcel(21, None)];
        let left = publish(&client, &arn("fifo"), &mixed).await.unwrap();
        assert_eq!(Vec::from_iter(left), [1], "one without a group is not taken, the other is");
        let left = publish(&client, &arn("none"), &mixed).await.unwrap();
        assert_eq!(left.len(), 2, "no such topic");
        let seen = seen.lock().unwrap();
        assert!(seen.iter().all(|one| one.name == "PublishBatch" && one.actions == ["Publish"]));
        assert!(!seen[0].failed && seen.last().unwrap().failed);
    }
}
