//! The SDK's stream records as the handlers' records, and as the JSON that a filter looks at.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::{AttributeValue as StreamValue, OperationType, Record};
use base64::Engine;
use handlers::invocation::{Item, StreamChange, StreamRecord};
use serde_json::{Map, Value, json};

/// A record that is still to be delivered.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) record: StreamRecord,
    /// When it was written, to the second.
    pub(super) at: SystemTime,
}

#[expect(clippy::disallowed_types, reason = "the SDK's own type of an item")]
type StreamItem = std::collections::HashMap<String, StreamValue>;

/// Reads a record; none if it has not what every record has.
pub(super) fn pending(record: Record) -> Option<Pending> {
    let change = match record.event_name? {
        OperationType::Insert => StreamChange::Insert,
        OperationType::Modify => StreamChange::Modify,
        OperationType::Remove => StreamChange::Remove,
        _ => return None,
    };
    let record = record.dynamodb?;
    let seconds = record.approximate_creation_date_time.map_or(0, |at| at.secs());
    Some(Pending {
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        record: StreamRecord {
            change,
            sequence_number: record.sequence_number?,
            keys: item(record.keys?),
            new_image: record.new_image.map(item),
            old_image: record.old_image.map(item),
        },
    })
}

fn item(item: StreamItem) -> Item {
    item.into_iter().map(|(name, value)| (name, attribute(value))).collect()
}

fn attribute(value: StreamValue) -> AttributeValue {
    match value {
        StreamValue::B(bytes) => AttributeValue::B(bytes),
        StreamValue::Bool(flag) => AttributeValue::Bool(flag),
        StreamValue::Bs(set) => AttributeValue::Bs(set),
        StreamValue::L(list) => AttributeValue::L(list.into_iter().map(attribute).collect()),
        StreamValue::M(map) => AttributeValue::M(item(map)),
        StreamValue::N(number) => AttributeValue::N(number),
        StreamValue::Ns(set) => AttributeValue::Ns(set),
        StreamValue::S(text) => AttributeValue::S(text),
        StreamValue::Ss(set) => AttributeValue::Ss(set),
        // The SDK's enum is open: what it may add is told as nothing.
        _ => AttributeValue::Null(true),
    }
}

/// The record as Lambda's event has it: `eventName` and `dynamodb` with its images.
pub(crate) fn event(record: &StreamRecord) -> Value {
    let mut dynamodb = Map::new();
    dynamodb.insert("Keys".to_owned(), item_json(&record.keys));
    dynamodb.insert("SequenceNumber".to_owned(), Value::from(record.sequence_number.as_str()));
    for (name, image) in [("NewImage", &record.new_image), ("OldImage", &record.old_image)] {
        dynamodb.extend(image.as_ref().map(|image| (name.to_owned(), item_json(image))));
    }
    let name = match record.change {
        StreamChange::Insert => "INSERT",
        StreamChange::Modify => "MODIFY",
        StreamChange::Remove => "REMOVE",
    };
    json!({"eventName": name, "eventSource": "aws:dynamodb", "eventVersion": "1.1", "dynamodb": dynamodb})
}

fn item_json(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), value_json(value))).collect::<Map<_, _>>().into()
}

fn value_json(value: &AttributeValue) -> Value {
    let bytes = |blob: &aws_smithy_types::Blob| base64::engine::general_purpose::STANDARD.encode(blob);
    match value {
        AttributeValue::B(blob) => json!({"B": bytes(blob)}),
        AttributeValue::Bool(flag) => json!({"BOOL": flag}),
        AttributeValue::Bs(set) => json!({"BS": set.iter().map(bytes).collect::<Vec<_>>()}),
        AttributeValue::L(list) => json!({"L": list.iter().map(value_json).collect::<Vec<_>>()}),
        AttributeValue::M(map) => json!({"M": item_json(map)}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Ns(set) => json!({"NS": set}),
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::Ss(set) => json!({"SS": set}),
        _ => json!({"NULL": true}),
    }
}
