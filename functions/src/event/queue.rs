//! A batch of an SQS FIFO queue ⇄ `QueueMessage`s. Messages come from a topic, delivered raw: the body is what was
//! published.

use handlers::invocation::QueueMessage;
use serde::Deserialize;

use super::EventError;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    message_group_id: String,
}

/// Reads the batch. One message that cannot be read fails it whole: the queue brings it again.
pub(super) fn messages(event: &str) -> Result<Vec<QueueMessage>, EventError> {
    let batch: Batch = serde_json::from_str(event)?;
    let message = |record: Record| QueueMessage {
        id: record.message_id,
        group: record.attributes.message_group_id,
        body: record.body,
    };
    Ok(batch.records.into_iter().map(message).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Lambda developer guide, for a FIFO queue.
    const DOCUMENTED: &str = r#"{"Records": [{
        "messageId": "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", "receiptHandle": "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...",
        "body": "Test message.",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1573251510774",
            "SequenceNumber": "18849496460467696128", "MessageGroupId": "1", "SenderId": "AIDAIO23YVJENQZJOL4VO",
            "MessageDeduplicationId": "1", "ApproximateFirstReceiveTimestamp": "1573251510774"},
        "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:fifo.fifo", "awsRegion": "us-east-2"}]}"#;

    #[test]
    fn the_documented_batch_is_read() {
        let read = messages(DOCUMENTED).unwrap();
        let expected = QueueMessage {
            id: "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5".to_owned(),
            group: "1".to_owned(),
            body: "Test message.".to_owned(),
        };
        assert_eq!(read, [expected]);
        let standard = DOCUMENTED.replace(r#""MessageGroupId": "1","#, "");
        assert!(matches!(messages(&standard), Err(EventError::Malformed(_))), "a queue without groups");
    }
}
