//! SNS's `PublishBatch` as the SDK's client asks for it and reads the answer: AWS's query protocol.

use std::{collections::BTreeMap, fmt::Write as _};

use aws_sdk_sns::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

/// The SDK's client over a connector, without TCP and without its own retries.
#[must_use]
pub fn client(connector: SharedHttpConnector) -> Client {
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

/// The fields of a call: those of a form.
#[must_use]
pub fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// A message of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Its name in the call.
    pub id: &'a str,
    /// The message.
    pub body: &'a str,
    /// Its group, for a FIFO topic.
    pub group: Option<&'a str>,
    /// What it is known by, for a FIFO topic.
    pub once: Option<&'a str>,
}

/// The messages of a call.
#[must_use]
pub fn messages(fields: &BTreeMap<String, String>) -> Vec<Asked<'_>> {
    let message = |n: usize| {
        let of = |name| fields.get(&format!("PublishBatchRequestEntries.member.{n}.{name}"));
        let of = |name| of(name).map(String::as_str);
        let (group, once) = (of("MessageGroupId"), of("MessageDeduplicationId"));
        Some(Asked { id: of("Id")?, body: of("Message").unwrap_or_default(), group, once })
    };
    (1..).map_while(message).collect()
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken, under this id.
    Taken(String),
    /// It was refused, for its own fault: a code, and why.
    Refused(&'static str, &'static str),
    /// It was not taken, for a fault of the topic's.
    Failed,
}

/// The answer to a call, by the messages' names in it.
#[must_use]
pub fn answer<'a>(outcomes: impl IntoIterator<Item = (&'a str, Outcome)>) -> String {
    let (mut taken, mut failed) = (String::new(), String::new());
    for (id, outcome) in outcomes {
        let (code, why, own) = match outcome {
            Outcome::Taken(message) => {
                // Writing into a string cannot fail.
                let _ = write!(taken, "<member><Id>{id}</Id><MessageId>{message}</MessageId></member>");
                continue;
            }
            Outcome::Refused(code, why) => (code, why, true),
            Outcome::Failed => ("Throttled", "later", false),
        };
        let _ = write!(
            failed,
            "<member><Id>{id}</Id><Code>{code}</Code><Message>{why}</Message><SenderFault>{own}</SenderFault></member>"
        );
    }
    format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult><Successful>{taken}</Successful><Failed>{failed}</Failed></PublishBatchResult></PublishBatchResponse>"
    )
}

/// The answer to a call that is refused as a whole.
#[must_use]
pub fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}
