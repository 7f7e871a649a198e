//! A batch of a DynamoDB stream ⇄ `StreamRecord`s and the numbers of those that failed.
//!
//! The items go straight into the SDK's attribute values. `lambda_http`'s crate of events would bring another
//! set of them (and chrono), to be converted once more.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use handlers::invocation::{Item, StreamChange, StreamRecord};
use serde::{Deserialize, Serialize};

use super::EventError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: Name,
    dynamodb: Images,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Name {
    Insert,
    Modify,
    Remove,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    keys: BTreeMap<String, Attribute>,
    new_image: Option<BTreeMap<String, Attribute>>,
    old_image: Option<BTreeMap<String, Attribute>>,
    sequence_number: String,
}

/// An attribute in DynamoDB's JSON: `{"S": "text"}`, `{"N": "1"}`.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Attribute {
    S(String),
    N(String),
    B(String),
    Bool(bool),
    Null(bool),
    M(BTreeMap<String, Attribute>),
    L(Vec<Attribute>),
    Ss(Vec<String>),
    Ns(Vec<String>),
    Bs(Vec<String>),
}

/// Reads the batch. One record that cannot be read fails it whole: the trigger then bisects it.
pub(super) fn records(event: &str) -> Result<Vec<StreamRecord>, EventError> {
    let batch: Batch = serde_json::from_str(event)?;
    batch.records.into_iter().map(record).collect()
}

fn record(record: Record) -> Result<StreamRecord, EventError> {
    Ok(StreamRecord {
        change: match record.event_name {
            Name::Insert => StreamChange::Insert,
            Name::Modify => StreamChange::Modify,
            Name::Remove => StreamChange::Remove,
        },
        sequence_number: record.dynamodb.sequence_number,
        keys: item(record.dynamodb.keys)?,
        new_image: record.dynamodb.new_image.map(item).transpose()?,
        old_image: record.dynamodb.old_image.map(item).transpose()?,
    })
}

fn item(attributes: BTreeMap<String, Attribute>) -> Result<Item, EventError> {
    attributes.into_iter().map(|(name, attribute)| Ok((name, value(attribute)?))).collect()
}

fn value(attribute: Attribute) -> Result<AttributeValue, EventError> {
    Ok(match attribute {
        Attribute::S(text) => AttributeValue::S(text),
        Attribute::N(number) => AttributeValue::N(number),
        Attribute::B(binary) => AttributeValue::B(blob(&binary)?),
        Attribute::Bool(truth) => AttributeValue::Bool(truth),
        Attribute::Null(null) => AttributeValue::Null(null),
        Attribute::M(map) => AttributeValue::M(item(map)?),
        Attribute::L(list) => AttributeValue::L(list.into_iter().map(value).collect::<Result<_, _>>()?),
        Attribute::Ss(texts) => AttributeValue::Ss(texts),
        Attribute::Ns(numbers) => AttributeValue::Ns(numbers),
        Attribute::Bs(binaries) => {
            AttributeValue::Bs(binaries.iter().map(|binary| blob(binary)).collect::<Result<_, _>>()?)
        }
    })
}

fn blob(base64: &str) -> Result<Blob, EventError> {
    BASE64_STANDARD.decode(base64).map(Blob::new).map_err(EventError::malformed)
}

/// What `ReportBatchItemFailures` asks for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl From<Vec<String>> for Response {
    fn from(failed: Vec<String>) -> Self {
        let batch_item_failures =
            failed.into_iter().map(|item_identifier| Failure { item_identifier }).collect();
        Self { batch_item_failures }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of the Lambda developer guide, with every type of attribute put into one image.
    const DOCUMENTED: &str = r#"{"Records": [
        {"eventID": "1", "eventVersion": "1.0",
         "dynamodb": {"ApproximateCreationDateTime": 1479499740, "Keys": {"Id": {"N": "101"}},
            "NewImage": {"Message": {"S": "New item!"}, "Id": {"N": "101"}, "B": {"B": "/wD+"}, "T": {"BOOL": true},
                "None": {"NULL": true}, "M": {"M": {"deep": {"L": [{"S": "x"}, {"M": {}}]}}}, "SS": {"SS": ["a"]},
                "NS": {"NS": ["1", "2"]}, "BS": {"BS": ["AA=="]}},
            "StreamViewType": "NEW_AND_OLD_IMAGES", "SequenceNumber": "111", "SizeBytes": 26},
         "awsRegion": "us-west-2", "eventName": "INSERT", "eventSource": "aws:dynamodb",
         "eventSourceARN": "arn:aws:dynamodb:us-west-2:111122223333:table/T/stream/2015-05-11T21:21:33.291"},
        {"eventID": "2", "eventVersion": "1.0",
         "dynamodb": {"OldImage": {"Message": {"S": "New item!"}, "Id": {"N": "101"}}, "SequenceNumber": "222",
            "Keys": {"Id": {"N": "101"}}, "SizeBytes": 59, "NewImage": {"Id": {"N": "101"}},
            "StreamViewType": "NEW_AND_OLD_IMAGES"},
         "awsRegion": "us-west-2", "eventName": "MODIFY", "eventSource": "aws:dynamodb"},
        {"eventID": "3", "eventVersion": "1.0",
         "userIdentity": {"principalId": "dynamodb.amazonaws.com", "type": "Service"},
         "dynamodb": {"Keys": {"Id": {"N": "101"}}, "SizeBytes": 38, "SequenceNumber": "333",
            "OldImage": {"Id": {"N": "101"}}, "StreamViewType": "NEW_AND_OLD_IMAGES"},
         "awsRegion": "us-west-2", "eventName": "REMOVE", "eventSource": "aws:dynamodb"}
    ]}"#;

    #[test]
    fn the_documented_batch_is_read() {
        let records = records(DOCUMENTED).unwrap();
        let changes: Vec<_> =
            records.iter().map(|record| (record.change, record.sequence_number.as_str())).collect();
        assert_eq!(
            changes,
            [(StreamChange::Insert, "111"), (StreamChange::Modify, "222"), (StreamChange::Remove, "333")]
        );
        assert_eq!(records[0].keys["Id"], AttributeValue::N("101".to_owned()));
        assert!(records[0].old_image.is_none() && records[2].new_image.is_none());
        let image = records[0].new_image.as_ref().unwrap();
        assert_eq!(image.len(), 9);
        assert_eq!(image["B"], AttributeValue::B(Blob::new([0xff, 0x00, 0xfe])));
        assert_eq!(image["T"], AttributeValue::Bool(true));
        assert_eq!(image["None"], AttributeValue::Null(true));
        assert_eq!(image["SS"], AttributeValue::Ss(vec!["a".to_owned()]));
        assert_eq!(image["NS"], AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(image["BS"], AttributeValue::Bs(vec![Blob::new([0])]));
        let AttributeValue::M(map) = &image["M"] else { panic!("{:?}", image["M"]) };
        let list = [AttributeValue::S("x".to_owned()), AttributeValue::M(Item::new())];
        assert_eq!(map["deep"], AttributeValue::L(list.to_vec()));
    }

    #[test]
    fn bad_base64_and_unknown_types_are_malformed() {
        for bad in [r#"{"B": "*"}"#, r#"{"X": "1"}"#, r#"{"S": 1}"#, r#"{"S": "a", "N": "1"}"#, "{}"] {
            let event = DOCUMENTED.replace(r#"{"B": "/wD+"}"#, bad);
            assert!(matches!(records(&event), Err(EventError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn failures_are_named_by_their_sequence_number() {
        assert_eq!(
            serde_json::to_value(Response::from(vec!["222".to_owned()])).unwrap(),
            json!({"batchItemFailures": [{"itemIdentifier": "222"}]})
        );
        assert_eq!(
            serde_json::to_value(Response::from(Vec::new())).unwrap(),
            json!({"batchItemFailures": []})
        );
    }
}
