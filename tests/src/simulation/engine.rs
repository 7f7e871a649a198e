//! A table as DynamoDB has it, in memory, of what the store asks for and nothing else: the emulator spends half of a
//! world's time in SQLite.
//!
//! Whether it is right is not believed: worlds can be lived through with the emulator beside it, and every answer of
//! the two is compared ([`super::table`]; a test does that).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use store::schema;
use switchboard::dynamodb::TABLE;

use super::{
    expression::{self, Item, Named},
    time,
};

type Key = (String, String);

/// A change, as the stream tells of it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What stood there.
    pub old: Option<Item>,
    /// What stands there.
    pub new: Option<Item>,
    /// When, in the world's milliseconds.
    pub at: u64,
}

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<Key, Item>,
    changes: Vec<Change>,
    /// Transactions that were done, by the token that their client sends again.
    done: BTreeSet<String>,
}

/// The table.
#[derive(Debug, Default)]
pub struct Engine(Mutex<State>);

/// Why something was not done.
enum Refusal {
    Condition(Option<Item>),
    Cancelled(Vec<Value>),
    Invalid(String),
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Invalid(text)
    }
}

impl Engine {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One operation: its name, its JSON in, its status and JSON out.
    pub fn call(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let answer = match serde_json::from_slice::<Value>(body) {
            Ok(request) => self.with(|state| state.call(operation, &request)),
            Err(error) => Err(Refusal::Invalid(error.to_string())),
        };
        let (status, answer) = match answer {
            Ok(answer) => (200, answer),
            Err(Refusal::Condition(item)) => {
                let mut answer = json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                    "message": "The conditional request failed",
                });
                if let (Some(item), Some(answer)) = (item, answer.as_object_mut()) {
                    answer.insert("Item".to_owned(), Value::Object(item));
                }
                (400, answer)
            }
            Err(Refusal::Cancelled(reasons)) => (
                400,
                json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "Message": "Transaction cancelled", "CancellationReasons": reasons,
                }),
            ),
            Err(Refusal::Invalid(text)) => {
                (400, json!({"__type": "com.amazon.coral.validate#ValidationException", "message": text}))
            }
        };
        (status, answer.to_string().into_bytes())
    }

    /// What was changed since this was last asked.
    pub fn changes(&self) -> Vec<Change> {
        self.with(|state| std::mem::take(&mut state.changes))
    }

    /// The keys of items whose time to live was over before that second.
    #[must_use]
    pub fn over(&self, second: u64) -> Vec<Value> {
        let is_over = |item: &&Item| {
            let ttl = item.get(schema::TTL).and_then(|ttl| ttl.get("N")?.as_str()?.parse::<u64>().ok());
            ttl.is_some_and(|ttl| ttl < second)
        };
        let key = |item: &Item| json!({"pk": item.get("pk"), "sk": item.get("sk")});
        self.with(|state| state.items.values().filter(is_over).map(key).collect())
    }

    /// Every item there is.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.with(|state| state.items.values().cloned().map(Value::Object).collect())
    }
}

impl State {
    fn call(&mut self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        match operation {
            "GetItem" => {
                let found = self.items.get(&key_of(request.get("Key"))?);
                Ok(found.map_or_else(|| json!({}), |item| json!({ "Item": item })))
            }
            "BatchGetItem" => self.get_batch(request),
            "Query" => self.query(request),
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let kind = operation.trim_end_matches("Item");
                let changed = self.planned(kind, request)?;
                let answer = match (&changed, request.get("ReturnValues").and_then(Value::as_str)) {
                    ((_, Some(new), names), Some("UPDATED_NEW")) => {
                        let set =
                            names.iter().filter_map(|name| Some((name.clone(), new.get(name)?.clone())));
                        json!({ "Attributes": set.collect::<Item>() })
                    }
                    _ => json!({}),
                };
                self.change((changed.0, changed.1));
                Ok(answer)
            }
            "BatchWriteItem" => self.write_batch(request),
            "TransactWriteItems" => self.transact(request),
            other => Err(Refusal::Invalid(format!("the world's table has no operation {other}"))),
        }
    }

    fn get_batch(&self, request: &Value) -> Result<Value, Refusal> {
        let keys = request.pointer(&format!("/RequestItems/{TABLE}/Keys")).and_then(Value::as_array);
        let mut found = Vec::new();
        for key in keys.into_iter().flatten() {
            found.extend(self.items.get(&key_of(Some(key))?));
        }
        Ok(json!({"Responses": { TABLE: found }, "UnprocessedKeys": {}}))
    }

    fn query(&self, request: &Value) -> Result<Value, Refusal> {
        let condition = request.get("KeyConditionExpression").and_then(Value::as_str).unwrap_or_default();
        let (partition, sorts) = expression::key(condition, Named::of(request))?;
        let forward = request.get("ScanIndexForward") != Some(&Value::Bool(false));
        let limit = request.get("Limit").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let start = request.get("ExclusiveStartKey").filter(|key| !key.is_null());
        let start = start.map(|key| key_of(Some(key))).transpose()?.map(|(_, sort)| sort);
        let first = (partition.clone(), String::new());
        let range = self.items.range(first..).take_while(|((of, _), _)| *of == partition);
        let behind = |sort: &str| {
            start
                .as_ref()
                .is_none_or(|start| if forward { sort > start.as_str() } else { sort < start.as_str() })
        };
        let wanted = range.filter(|((_, sort), _)| sorts.take(sort) && behind(sort)).map(|(_, item)| item);
        let mut found: Vec<&Item> = wanted.collect();
        if !forward {
            found.reverse();
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() >= limit;
        found.truncate(limit);
        let mut answer = json!({"Count": found.len(), "ScannedCount": found.len()});
        let last =
            found.last().filter(|_| more).map(|last| json!({"pk": last.get("pk"), "sk": last.get("sk")}));
        if let Some(answer) = answer.as_object_mut() {
            answer.extend(last.map(|last| ("LastEvaluatedKey".to_owned(), last)));
            answer.insert("Items".to_owned(), json!(found));
        }
        Ok(answer)
    }

    /// What a write would do, if its condition holds: the key, what stands there then, and what of it was set.
    fn planned(&self, kind: &str, write: &Value) -> Result<(Key, Option<Item>, Vec<String>), Refusal> {
        let place = if kind == "Put" { write.get("Item") } else { write.get("Key") };
        let key = key_of(place)?;
        let (standing, named) = (self.items.get(&key), Named::of(write));
        if let Some(condition) = write.get("ConditionExpression").and_then(Value::as_str)
            && !expression::holds(condition, named, standing)?
        {
            let shown = write.get("ReturnValuesOnConditionCheckFailure").is_some_and(|all| all == "ALL_OLD");
            return Err(Refusal::Condition(standing.filter(|_| shown).cloned()));
        }
        let place = place.and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(match kind {
            "Put" => (key, Some(place), Vec::new()),
            "Delete" => (key, None, Vec::new()),
            "Update" => {
                let mut item = standing.cloned().unwrap_or(place);
                let update = write.get("UpdateExpression").and_then(Value::as_str).unwrap_or_default();
                let names = expression::update(update, named, &mut item)?;
                (key, Some(item), names)
            }
            other => return Err(Refusal::Invalid(format!("the world's table has no write {other}"))),
        })
    }

    fn change(&mut self, (key, new): (Key, Option<Item>)) {
        let old = match new.clone() {
            Some(item) => self.items.insert(key, item),
            None => self.items.remove(&key),
        };
        if old != new {
            self.changes.push(Change { old, new, at: time::millis() });
        }
    }

    fn write_batch(&mut self, request: &Value) -> Result<Value, Refusal> {
        let writes = request.pointer(&format!("/RequestItems/{TABLE}")).and_then(Value::as_array);
        for write in writes.into_iter().flatten() {
            let (kind, of) = match write.get("PutRequest") {
                Some(put) => ("Put", put),
                None => ("Delete", write.get("DeleteRequest").unwrap_or(write)),
            };
            let (key, new, _) = self.planned(kind, of)?;
            self.change((key, new));
        }
        Ok(json!({"UnprocessedItems": {}}))
    }

    fn transact(&mut self, request: &Value) -> Result<Value, Refusal> {
        let token = request.get("ClientRequestToken").and_then(Value::as_str).unwrap_or_default();
        if self.done.contains(token) {
            return Ok(json!({}));
        }
        let writes = request.get("TransactItems").and_then(Value::as_array);
        let (mut planned, mut reasons, mut failed) = (Vec::new(), Vec::new(), false);
        for write in writes.into_iter().flatten() {
            let Some((kind, of)) = write.as_object().and_then(|write| write.iter().next()) else {
                return Err(Refusal::Invalid("an empty write".to_owned()));
            };
            let mut reason = json!({"Code": "None"});
            match self.planned(kind, of) {
                Ok((key, new, _)) => planned.push((key, new)),
                Err(Refusal::Condition(item)) => {
                    failed = true;
                    reason = json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"});
                    if let (Some(item), Some(reason)) = (item, reason.as_object_mut()) {
                        reason.insert("Item".to_owned(), Value::Object(item));
                    }
                }
                Err(other) => return Err(other),
            }
            reasons.push(reason);
        }
        if failed {
            return Err(Refusal::Cancelled(reasons));
        }
        let keys: BTreeSet<&Key> = planned.iter().map(|(key, _)| key).collect();
        if keys.len() != reasons.len() {
            return Err(Refusal::Invalid(
                "Transaction request cannot include multiple operations on one item".into(),
            ));
        }
        planned.into_iter().for_each(|write| self.change(write));
        if !token.is_empty() {
            self.done.insert(token.to_owned());
        }
        Ok(json!({}))
    }
}

fn key_of(item: Option<&Value>) -> Result<Key, Refusal> {
    let part = |name: &str| Some(item?.get(name)?.get("S")?.as_str()?.to_owned());
    let key = (part("pk"), part("sk"));
    match key {
        (Some(partition), Some(sort)) if !partition.is_empty() && !sort.is_empty() => Ok((partition, sort)),
        _ => Err(Refusal::Invalid(format!("no key: {item:?}"))),
    }
}
