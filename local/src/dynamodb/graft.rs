//! What the emulator's stream table lacks: an index, and an end.
//!
//! dynoxide 3.2.0 finds a record's number by `MAX(CAST(sequence_number AS INTEGER))` over `_stream_records`,
//! without an index and for ever: at 100,000 records a write takes 18 ms. An index on that expression makes it
//! constant, and a trigger on the checkpoints' table deletes what every stream trigger is done with, in the same
//! transaction. Both go into the emulator's own file, so they work in memory too and need no second connection
//! while it runs. They lean on private tables: the version is pinned, and the tests below fail when they change.

use std::path::Path;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use super::{TABLE, embedded::run};

/// Holds how far each stream trigger has read.
const CHECKPOINTS: &str = "switchboard-checkpoints";

/// What dynoxide adds to a stored sequence number to make the 21 digits of a public one.
const OFFSET: u128 = 100_000_000_000_000_000_000;

/// Makes the checkpoints' table if it is not there.
pub(super) fn create_checkpoints(database: &Database) -> Result<(), DynoxideError> {
    let request = json!({
        "TableName": CHECKPOINTS,
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    match run(request.to_string().as_bytes(), |request| database.create_table(request)) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts the index and the trigger into a database's file.
///
/// Records older than a day go as well, as in DynamoDB: a stored sequence number is at least the microseconds
/// since 1970 at which it was drawn. The newest record of all stays, since the next number is drawn from it.
pub(super) fn graft(path: &Path) -> rusqlite::Result<()> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS switchboard_stream_order
             ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
         CREATE TRIGGER IF NOT EXISTS switchboard_stream_trim AFTER INSERT ON \"{CHECKPOINTS}\" BEGIN
             DELETE FROM _stream_records WHERE table_name = '{TABLE}' AND CAST(sequence_number AS INTEGER) < (
                 SELECT MIN(CAST(json_extract(item_json, '$.stored.N') AS INTEGER)) FROM \"{CHECKPOINTS}\");
             DELETE FROM _stream_records WHERE table_name = '{TABLE}' AND CAST(sequence_number AS INTEGER) < MIN(
                 (CAST(strftime('%s', 'now') AS INTEGER) - 86400) * 1000000,
                 (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = '{TABLE}'));
         END;"
    ))
}

/// A trigger's position.
pub(super) fn position(database: &Database, trigger: &str) -> Result<Option<String>, DynoxideError> {
    let request = json!({"TableName": CHECKPOINTS, "Key": {"pk": {"S": trigger}}, "ConsistentRead": true});
    let answer = run(request.to_string().as_bytes(), |request| database.get_item(request))?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    Ok(answer.pointer("/Item/position/S").and_then(Value::as_str).map(str::to_owned))
}

/// Says that there is a trigger which has read nothing yet: what it has not read is not to be trimmed when another
/// one remembers how far it is.
pub(super) fn register(database: &Database, trigger: &str) -> Result<(), DynoxideError> {
    let item = json!({"pk": {"S": trigger}, "stored": {"N": "0"}});
    let request = json!({
        "TableName": CHECKPOINTS, "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
    });
    match run(request.to_string().as_bytes(), |request| database.put_item(request)) {
        Ok(_) | Err(DynoxideError::ConditionalCheckFailedException(..)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Remembers a trigger's position.
pub(super) fn remember(database: &Database, trigger: &str, position: &str) -> Result<(), DynoxideError> {
    let stored = position.parse::<u128>().unwrap_or_default().saturating_sub(OFFSET);
    let item =
        json!({"pk": {"S": trigger}, "position": {"S": position}, "stored": {"N": stored.to_string()}});
    let request = json!({"TableName": CHECKPOINTS, "Item": item});
    run(request.to_string().as_bytes(), |request| database.put_item(request)).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::dynamodb::embedded::Embedded;

    use super::*;

    fn database(folder: &Path) -> (Embedded, rusqlite::Connection) {
        let path = folder.join("data.db");
        let embedded = Embedded::open(&path).unwrap();
        let table = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        });
        assert_eq!(embedded.call("CreateTable", table.to_string().as_bytes()).0, 200);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let embedded = std::sync::Arc::new(embedded);
        runtime.block_on(embedded.prepare()).unwrap();
        (std::sync::Arc::into_inner(embedded).unwrap(), rusqlite::Connection::open(path).unwrap())
    }

    fn put(embedded: &Embedded, key: usize) {
        let item = json!({"TableName": TABLE, "Item": {"pk": {"S": key.to_string()}}});
        assert_eq!(embedded.call("PutItem", item.to_string().as_bytes()).0, 200);
    }

    #[test]
    fn numbering_and_reading_the_stream_use_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let (_embedded, connection) = database(folder.path());
        // The statements of dynoxide 3.2.0, storage.rs.
        for statement in [
            "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1",
            "SELECT event_name FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2 AND \
             CAST(sequence_number AS INTEGER) > ?3 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT ?4",
        ] {
            let plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let mut plan = plan;
            let blanks = vec![rusqlite::types::Value::Null; plan.parameter_count()];
            let rows =
                plan.query_map(rusqlite::params_from_iter(blanks), |row| row.get::<_, String>(3)).unwrap();
            let text = rows.map(Result::unwrap).collect::<Vec<_>>().join("; ");
            assert!(text.contains("switchboard_stream_order"), "{text}");
            assert!(!text.contains("TEMP B-TREE"), "{text}");
        }
    }

    #[test]
    fn what_every_trigger_is_done_with_is_trimmed_and_the_newest_record_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (embedded, connection) = database(folder.path());
        for key in 0..20 {
            put(&embedded, key);
        }
        let numbers = |connection: &rusqlite::Connection| {
            let mut all = connection
                .prepare("SELECT CAST(sequence_number AS INTEGER) FROM _stream_records ORDER BY 1")
                .unwrap();
            all.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
        };
        let before = numbers(&connection);
        let public = |index: usize| (OFFSET + u128::try_from(before[index]).unwrap()).to_string();
        embedded.remember("one", &public(19)).unwrap();
        assert_eq!(numbers(&connection), before[19..], "one trigger is done with all");
        for key in 20..30 {
            put(&embedded, key);
        }
        assert!(numbers(&connection)[1] > before[19], "numbers go on after a trim");
        embedded.remember("two", &public(19)).unwrap();
        assert_eq!(embedded.position("two").unwrap(), Some(public(19)));
        assert_eq!(numbers(&connection).len(), 11, "a trigger that lags holds the records");
    }

    #[tokio::test]
    async fn a_database_in_memory_is_grafted_too() {
        let embedded = std::sync::Arc::new(Embedded::memory().unwrap());
        embedded.prepare().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        embedded.copy_to(copy.to_str().unwrap());
        let grafted = "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'switchboard_stream_%'";
        let count =
            rusqlite::Connection::open(copy).unwrap().query_row(grafted, [], |row| row.get::<_, i64>(0));
        assert_eq!(count, Ok(2));
    }

    #[test]
    fn what_a_trigger_that_has_just_begun_has_not_read_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (embedded, connection) = database(folder.path());
        embedded.register("announce").unwrap();
        embedded.register("fan-out").unwrap();
        (0..20).for_each(|key| put(&embedded, key));
        let count = |connection: &rusqlite::Connection| -> (i64, i64) {
            let sql = "SELECT COUNT(*), MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        let (_, newest) = count(&connection);
        let newest = (OFFSET + u128::try_from(newest).unwrap()).to_string();
        embedded.remember("announce", &newest).unwrap();
        assert_eq!(count(&connection).0, 20, "the fan-out has read nothing");
        assert_eq!(embedded.position("fan-out").unwrap(), None, "and begins at the oldest");
        embedded.register("announce").unwrap();
        assert_eq!(embedded.position("announce").unwrap().as_deref(), Some(newest.as_str()), "known already");
        embedded.remember("fan-out", &newest).unwrap();
        assert_eq!(count(&connection).0, 1);
    }

    #[test]
    fn a_file_has_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let (_embedded, _) = database(folder.path());
        let second = Embedded::open(&folder.path().join("data.db")).unwrap_err().to_string();
        assert!(second.contains("in use by another switchboard"), "{second}");
    }
}
