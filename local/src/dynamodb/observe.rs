//! The connector around the table's own: it wakes the stream trigger after a write, and tells an observer what each
//! operation was and what it cost.
//!
//! Without an observer a request passes through untouched. With one, every data operation asks for its consumed
//! capacity, so that tests can hold the budgets and the policies against what really happens.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use domain::Seq;
use http_body_util::BodyExt;
use serde_json::Value;
use store::keys;
use tokio::sync::watch;

use super::embedded::operation;
use crate::observer::{Observer, Operation, endpoint};

/// The kinds of a request that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// Reads and writes of data; everything else passes unobserved.
fn kind(operation: &str) -> Option<Kind> {
    match operation {
        "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems" => Some(Kind::Read),
        "BatchWriteItem" | "DeleteItem" | "PutItem" | "TransactWriteItems" | "UpdateItem" => {
            Some(Kind::Write)
        }
        _ => None,
    }
}

/// Wraps a client.
pub(super) fn observed(
    inner: SharedHttpClient,
    wake: watch::Sender<u64>,
    observer: Option<Arc<dyn Observer>>,
) -> SharedHttpClient {
    http_client_fn(move |settings, components| {
        connector(inner.http_connector(settings, components), wake.clone(), observer.clone())
    })
}

/// Wraps a connector.
pub(super) fn connector(
    inner: SharedHttpConnector,
    wake: watch::Sender<u64>,
    observer: Option<Arc<dyn Observer>>,
) -> SharedHttpConnector {
    SharedHttpConnector::new(Observed { inner, wake, observer })
}

struct Observed {
    inner: SharedHttpConnector,
    wake: watch::Sender<u64>,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpConnector for Observed {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let name = operation(&request).unwrap_or_default().to_owned();
        let Some(kind) = kind(&name) else { return self.inner.call(request) };
        let observation = self.observer.clone().map(|observer| {
            let asked = ask_for_capacity(&mut request, &name);
            (observer, asked, endpoint())
        });
        let running = self.inner.call(request);
        let wake = self.wake.clone();
        HttpConnectorFuture::new(async move {
            let mut response = running.await?;
            let failed = !response.status().is_success();
            if kind == Kind::Write && !failed {
                wake.send_modify(|writes| *writes += 1);
            }
            if let Some((observer, Asked { actions, appends }, endpoint)) = observation {
                let (read_units, write_units) = consumed(&mut response, kind).await?;
                observer.observe(&Operation {
                    endpoint,
                    name,
                    actions,
                    appends,
                    read_units,
                    write_units,
                    failed,
                });
            }
            Ok(response)
        })
    }
}

/// What a request asks for.
#[derive(Default)]
struct Asked {
    actions: Vec<&'static str>,
    appends: bool,
}

/// Puts `ReturnConsumedCapacity` into the request; says what it asks for.
fn ask_for_capacity(request: &mut HttpRequest, name: &str) -> Asked {
    let body = request.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let Some(body) = body.filter(Value::is_object) else { return Asked::default() };
    let asked = Asked { actions: actions(name, &body), appends: appends(&body) };
    let Value::Object(mut body) = body else { return asked };
    body.insert("ReturnConsumedCapacity".to_owned(), Value::from("TOTAL"));
    let text = Value::Object(body).to_string();
    request.headers_mut().insert("content-length", text.len().to_string());
    *request.body_mut() = SdkBody::from(text);
    asked
}

/// Whether the request puts an item into a log, alone or in a transaction. A log's first entry is put by who has just
/// drawn its number, whom nobody can overtake.
fn appends(body: &Value) -> bool {
    let parts = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let puts = parts.filter_map(|part| part.get("Put")).chain([body]);
    let first = keys::seq(Seq(1));
    let in_a_log = |item: &Value| {
        let key = |name: &str| item.get(name).and_then(|key| key.get("S")).and_then(Value::as_str);
        key("pk").is_some_and(|pk| pk.starts_with(keys::LOG)) && key("sk") != Some(first.as_str())
    };
    puts.filter_map(|put| put.get("Item")).any(in_a_log)
}

fn actions(name: &str, body: &Value) -> Vec<&'static str> {
    let mut actions = match name {
        "TransactWriteItems" => parts(body, |part| match part {
            "ConditionCheck" => Some("ConditionCheckItem"),
            "Delete" => Some("DeleteItem"),
            "Put" => Some("PutItem"),
            "Update" => Some("UpdateItem"),
            _ => None,
        }),
        "TransactGetItems" => vec!["GetItem"],
        "BatchGetItem" => vec!["BatchGetItem"],
        "BatchWriteItem" => vec!["BatchWriteItem"],
        "DeleteItem" => vec!["DeleteItem"],
        "GetItem" => vec!["GetItem"],
        "PutItem" => vec!["PutItem"],
        "Query" => vec!["Query"],
        "Scan" => vec!["Scan"],
        "UpdateItem" => vec!["UpdateItem"],
        _ => Vec::new(),
    };
    actions.sort_unstable();
    actions.dedup();
    actions
}

fn parts(body: &Value, action: fn(&str) -> Option<&'static str>) -> Vec<&'static str> {
    let items = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_object).flat_map(|item| item.keys().filter_map(|part| action(part))).collect()
}

/// Reads and writes that the answer says were consumed. The body is read and put back.
async fn consumed(response: &mut HttpResponse, kind: Kind) -> Result<(f64, f64), ConnectorError> {
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let bytes = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    *response.body_mut() = SdkBody::from(bytes);
    let capacity = match answer.get("ConsumedCapacity") {
        Some(Value::Array(tables)) => tables.clone(),
        Some(table) => vec![table.clone()],
        None => Vec::new(),
    };
    let (mut reads, mut writes) = (0.0, 0.0);
    for table in capacity {
        let units = |name: &str| table.get(name).and_then(Value::as_f64);
        match (units("ReadCapacityUnits"), units("WriteCapacityUnits"), kind) {
            (None, None, Kind::Read) => reads += units("CapacityUnits").unwrap_or_default(),
            (None, None, Kind::Write) => writes += units("CapacityUnits").unwrap_or_default(),
            (read, write, _) => {
                reads += read.unwrap_or_default();
                writes += write.unwrap_or_default();
            }
        }
    }
    Ok((reads, writes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_sdk_dynamodb::types::{
        AttributeValue, ConditionCheck, KeysAndAttributes, Put, TransactWriteItem,
    };

    use super::*;
    use crate::dynamodb::{Storage, open};

    fn s(text: impl Into<String>) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    /// Units as AWS counts them: 1 KB a write, 4 KB a read, halves for eventual reads, twice in a transaction.
    #[tokio::test]
    async fn capacity_is_reported_as_aws_counts_it() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let observer = move |operation: &Operation| log.lock().unwrap().push(operation.clone());
        let storage = match std::env::var("DYNAMODB_LOCAL_URL") {
            Ok(url) => {
                Storage::Remote { url, table: crate::invoke::request_id().replace('=', "."), state: None }
            }
            Err(_) => Storage::Memory,
        };
        let tables = open(&storage, Some(Arc::new(observer))).await.unwrap();
        let (items, table) = (&tables.items, &tables.name);
        let last = || seen.lock().unwrap().last().cloned().unwrap();
        let partition = crate::invoke::request_id();
        // 50 items whose sizes sum to 50 * 230 bytes: rounded as a sum, not one by one.
        for n in 0..50 {
            let item = items.put_item().table_name(table).item("pk", s(&partition));
            item.item("sk", s(format!("{n:03}"))).item("body", s("x".repeat(200))).send().await.unwrap();
        }
        assert_eq!((last().write_units, last().read_units), (1.0, 0.0));
        let query = || {
            let query = items.query().table_name(table).key_condition_expression("pk = :pk");
            query.expression_attribute_values(":pk", s(&partition))
        };
        query().send().await.unwrap();
        assert_eq!((last().write_units, last().read_units), (0.0, 1.5), "{:?}", last());
        query().consistent_read(true).send().await.unwrap();
        assert_eq!(last().read_units, 3.0);
        let key = || [("pk".to_owned(), s(&partition)), ("sk".to_owned(), s("000"))].into_iter().collect();
        items.get_item().table_name(table).set_key(Some(key())).send().await.unwrap();
        assert_eq!(last().read_units, 0.5);
        tables
            .items
            .get_item()
            .table_name(table)
            .set_key(Some(key()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        assert_eq!(last().read_units, 1.0);
        let batch = KeysAndAttributes::builder().keys(key()).consistent_read(true).build().unwrap();
        items.batch_get_item().request_items(table, batch).send().await.unwrap();
        assert_eq!((last().read_units, last().actions), (1.0, vec!["BatchGetItem"]));
        let put = Put::builder().table_name(table).item("pk", s(&partition)).item("sk", s("big"));
        let put = put.item("body", s("x".repeat(1500))).build().unwrap();
        let check = ConditionCheck::builder().table_name(table).set_key(Some(key()));
        let check = check.condition_expression("attribute_exists(pk)").build().unwrap();
        let transaction = items.transact_write_items();
        let transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        transaction
            .transact_items(TransactWriteItem::builder().condition_check(check).build())
            .send()
            .await
            .unwrap();
        let operation = last();
        assert_eq!(operation.actions, ["ConditionCheckItem", "PutItem"]);
        // DynamoDB Local 1.25 tells 4 units for one part as well as for three.
        if storage == Storage::Memory {
            assert_eq!(operation.write_units, 6.0, "2 * (2 + 1): {operation:?}");
        }
        let refused = items.put_item().table_name(table).set_item(Some(key()));
        refused.condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
        assert!(last().failed);
    }
}
