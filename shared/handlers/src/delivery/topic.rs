//! Publishing to SNS topics, in batches, until all is taken or the attempts are over.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_sns::{
    Client,
    error::DisplayErrorContext,
    types::{MessageAttributeValue, PublishBatchRequestEntry},
};
use domain::Error;
use futures_util::{StreamExt as _, stream};

/// Messages of one call (SNS).
const MESSAGES_PER_CALL: usize = 10;
/// Bytes of one call: SNS takes 256 KB, attributes and all.
const BYTES_PER_CALL: usize = 250_000;
/// Calls under way at once.
const CALLS_AT_ONCE: usize = 8;
/// The pause before the second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Attempts for what was not taken. Then the stream brings it again.
const ATTEMPTS: u32 = 6;

/// The topics, and the client for them.
#[derive(Debug, Clone, Default)]
pub struct Topics {
    /// The SDK's client; none where nothing is published.
    pub client: Option<Client>,
    /// The ARN of the FIFO topic that chunks travel by.
    pub chunks: Option<String>,
    /// The ARN of the owner's topic.
    pub events: Option<String>,
}

/// A message to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its text.
    pub body: String,
    /// What filters may look at.
    pub attributes: BTreeMap<&'static str, String>,
    /// Where the topic is FIFO: the group within which order holds, and what tells it from others.
    pub group: Option<(String, String)>,
}

impl Parcel {
    fn size(&self) -> usize {
        let attributes: usize =
            self.attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
        // Two characters become three bytes longer (`taken`).
        self.body.len() + 3 * self.body.matches(['\u{fffe}', '\u{ffff}']).count() + attributes
    }
}

/// Publishes; the indexes of what was not taken after all attempts.
///
/// # Errors
/// [`Error::Internal`] if a message has not what one must have.
pub async fn publish(client: &Client, topic: &str, parcels: &[Parcel]) -> Result<BTreeSet<usize>, Error> {
    let mut left: BTreeSet<usize> = (0..parcels.len()).collect();
    for attempt in 0..ATTEMPTS {
        let calls = calls(parcels, &left)?;
        let sent = stream::iter(calls).map(|call| send(client, topic, call)).buffered(CALLS_AT_ONCE);
        left = sent.flat_map(stream::iter).collect().await;
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
    }
    Ok(left)
}

type Call = Vec<(usize, PublishBatchRequestEntry)>;

/// Those that are left, in their order, in as few calls as they fit into.
fn calls(parcels: &[Parcel], left: &BTreeSet<usize>) -> Result<Vec<Call>, Error> {
    let mut calls: Vec<(usize, Call)> = Vec::new();
    for (index, parcel) in parcels.iter().enumerate().filter(|(index, _)| left.contains(index)) {
        let (size, entry) = (parcel.size(), entry(index, parcel)?);
        match calls.last_mut() {
            Some((bytes, call)) if call.len() < MESSAGES_PER_CALL && *bytes + size <= BYTES_PER_CALL => {
                *bytes += size;
                call.push((index, entry));
            }
            _ => calls.push((size, vec![(index, entry)])),
        }
    }
    Ok(calls.into_iter().map(|(_, call)| call).collect())
}

fn entry(index: usize, parcel: &Parcel) -> Result<PublishBatchRequestEntry, Error> {
    let built = |error| Error::Internal(format!("a message to a topic: {error}"));
    let mut entry = PublishBatchRequestEntry::builder().id(index.to_string()).message(taken(&parcel.body));
    for (name, value) in &parcel.attributes {
        let value = MessageAttributeValue::builder().data_type("String").string_value(taken(value)).build();
        entry = entry.message_attributes(*name, value.map_err(built)?);
    }
    if let Some((group, once)) = &parcel.group {
        entry = entry.message_group_id(group).message_deduplication_id(once);
    }
    entry.build().map_err(built)
}

/// SNS and SQS take XML's characters only, which all but two of JSON's are. In JSON they can be written otherwise, and
/// nobody filters by them.
fn taken(text: &str) -> Cow<'_, str> {
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff").into();
    }
    text.into()
}

/// Makes one call; the indexes of what was not taken.
async fn send(client: &Client, topic: &str, call: Call) -> Vec<usize> {
    let (indexes, entries): (Vec<usize>, Vec<_>) = call.into_iter().unzip();
    let sent = client.publish_batch().topic_arn(topic).set_publish_batch_request_entries(Some(entries));
    match sent.send().await {
        Ok(answer) => {
            let failed = answer.failed();
            if let Some(first) = failed.first() {
                tracing::warn!(code = first.code(), failed = failed.len(), "not all was published");
            }
            failed.iter().filter_map(|one| one.id().parse().ok()).collect()
        }
        Err(error) => {
            tracing::warn!(error = %DisplayErrorContext(&error), "nothing was published");
            indexes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_has_no_character_for_is_written_otherwise() {
        let said = serde_json::json!({"body": "a\u{ffff}b\u{fffe} c\u{10ffff}\u{fffd}\u{7f}"});
        let text = said.to_string();
        let taken = taken(&text);
        assert!(!taken.contains(['\u{fffe}', '\u{ffff}']), "{taken}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&taken).unwrap(), said);
    }

    #[test]
    fn a_call_has_at_most_ten_messages_and_250_kb() {
        let parcel =
            |size: usize| Parcel { body: "x".repeat(size), attributes: BTreeMap::new(), group: None };
        let sizes = |parcels: &[Parcel], left: BTreeSet<usize>| -> Vec<Vec<usize>> {
            let calls = calls(parcels, &left).unwrap();
            calls.into_iter().map(|call| call.into_iter().map(|(index, _)| index).collect()).collect()
        };
        let small: Vec<Parcel> = (0..12).map(|_| parcel(10)).collect();
        assert_eq!(sizes(&small, (0..12).collect()), [Vec::from_iter(0..10), vec![10, 11]]);
        assert_eq!(sizes(&small, BTreeSet::from([3, 7])), [[3, 7]]);
        let large = [parcel(100_000), parcel(100_000), parcel(100_000), parcel(240_000)];
        assert_eq!(sizes(&large, (0..4).collect()), [vec![0, 1], vec![2], vec![3]]);
    }
}
