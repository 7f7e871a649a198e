//! The emulator beside a world's own table: asked the same, and its every answer compared.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use switchboard::dynamodb::{TABLE, embedded::Embedded};

/// The emulator, and in what it differed.
pub struct Beside {
    embedded: Embedded,
    differences: Mutex<Vec<String>>,
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").finish_non_exhaustive()
    }
}

impl Beside {
    /// With an empty table.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn new() -> Result<Self, String> {
        let embedded = Embedded::memory().map_err(|error| error.to_string())?;
        let this = Self { embedded, differences: Mutex::default() };
        let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
        let attribute = |name| json!({"AttributeName": name, "AttributeType": "S"});
        let table = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
        });
        ask(&this.embedded, "CreateTable", &table)?;
        Ok(this)
    }

    fn noted(&self) -> MutexGuard<'_, Vec<String>> {
        self.differences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks it the same, and compares.
    pub fn compare(&self, operation: &str, body: &[u8], own: &(u16, Vec<u8>)) {
        let its = self.embedded.call(operation, body);
        let (own_says, it_says) = (said(own), said(&its));
        if own_says != it_says {
            let asked = String::from_utf8_lossy(body);
            self.noted().push(format!("{operation} {asked}: {own_says} here, {it_says} there"));
        }
    }

    /// All in which it differed, and in the end its items.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn differences(&self, own: &[Value]) -> Result<Vec<String>, String> {
        let its = items(&self.embedded)?;
        let mut differences = self.noted().clone();
        if sorted(own) != sorted(&its) {
            differences.push(format!("{} items here, {} there, or others", own.len(), its.len()));
        }
        Ok(differences)
    }
}

fn ask(embedded: &Embedded, operation: &str, body: &Value) -> Result<Value, String> {
    let (status, answer) = embedded.call(operation, body.to_string().as_bytes());
    let text = String::from_utf8_lossy(&answer);
    if status != 200 {
        return Err(format!("{operation}: {text}"));
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Every item that an emulator has.
///
/// # Errors
/// What it says.
pub fn items(embedded: &Embedded) -> Result<Vec<Value>, String> {
    let (mut items, mut start) = (Vec::new(), Value::Null);
    loop {
        let page = ask(embedded, "Scan", &json!({"TableName": TABLE, "ExclusiveStartKey": start}))?;
        items.extend(page.get("Items").and_then(Value::as_array).into_iter().flatten().cloned());
        start = page.get("LastEvaluatedKey").cloned().unwrap_or_default();
        if start.is_null() {
            return Ok(items);
        }
    }
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

/// What of an answer counts: not its words, nor the order of what has none.
fn said((status, answer): &(u16, Vec<u8>)) -> Value {
    let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    for reason in
        answer.pointer_mut("/CancellationReasons").and_then(Value::as_array_mut).into_iter().flatten()
    {
        if let Some(reason) = reason.as_object_mut() {
            reason.remove("Message");
        }
    }
    if let Some(found) = answer.pointer_mut(&format!("/Responses/{TABLE}")).and_then(Value::as_array_mut) {
        found.sort_by_key(Value::to_string);
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|name, value| !matches!(name.as_str(), "message" | "Message") && !value.is_null());
        if let Some(kind) = answer.get("__type").and_then(Value::as_str) {
            let kind = kind.rsplit('#').next().unwrap_or_default().to_owned();
            answer.insert("__type".to_owned(), kind.into());
        }
    }
    json!([status, answer])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_answer_and_another_item_are_differences() {
        let beside = Beside::new().unwrap();
        let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": "1"}});
        let put = json!({"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
        let put = put.to_string();
        let ask = |answer: (u16, &Value)| {
            let (status, body) = answer;
            beside.compare("PutItem", put.as_bytes(), &(status, body.to_string().into_bytes()));
            beside.differences(std::slice::from_ref(&item)).unwrap().len()
        };
        assert_eq!(ask((200, &json!({}))), 0);
        let refused = json!({"__type": "x#ConditionalCheckFailedException", "message": "no", "Item": item});
        assert_eq!(ask((400, &refused)), 0, "words do not count");
        assert_eq!(ask((200, &json!({}))), 1, "it was refused there");
        let other = json!({"__type": "x#ConditionalCheckFailedException", "Item": {"pk": {"S": "a"}}});
        assert_eq!(ask((400, &other)), 2, "another item stands there");
        assert_eq!(beside.differences(&[]).unwrap().len(), 3, "an item is missing");
    }
}
