//! The table: the embedded emulator under the unmodified SDK, with a time for each answer, a limit for each
//! partition, and everything that is consumed counted.
//!
//! It has no stream: nobody would trim it, and a record of it is made from the entry itself.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde::Deserialize;
use serde_json::Value;
use switchboard::dynamodb::{self, TABLE, embedded::Embedded};
use tokio::time::{Instant, sleep, sleep_until};

use super::meter::Meter;

/// Read units a second of one partition key (DynamoDB).
const UNITS_PER_SECOND: f64 = 3_000.0;

/// Items that are put at once, to furnish with.
const LOT: usize = 10_000;

/// The table.
pub struct Table {
    embedded: Embedded,
    meter: Meter,
    answers_in: Duration,
    /// Until when the reads of a partition are spoken for.
    busy: Mutex<BTreeMap<String, Instant>>,
    /// Furniture that is to be put into the table before anything else is done.
    furniture: Mutex<Vec<Value>>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

impl Table {
    /// An empty one, each of whose answers takes so long.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn new(meter: Meter, answers_in: Duration) -> Result<Arc<Self>, String> {
        let embedded = Embedded::memory().map_err(|error| error.to_string())?;
        let (busy, furniture) = (Mutex::default(), Mutex::default());
        Ok(Arc::new(Self { embedded, meter, answers_in, busy, furniture }))
    }

    /// A client whose requests take their time and are counted; `unseen`: one whose are not, to furnish with.
    #[must_use]
    pub fn client(self: &Arc<Self>, unseen: bool) -> aws_sdk_dynamodb::Client {
        let connector = SharedHttpConnector::new(Connector { table: Arc::clone(self), unseen });
        let http = http_client_fn(move |_, _| connector.clone());
        let config = dynamodb::items_config(http, "http://local.invalid", true);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    async fn answer(
        &self,
        operation: &str,
        body: Vec<u8>,
        unseen: bool,
    ) -> Result<HttpResponse, ConnectorError> {
        if unseen && self.furnish(operation, &body)? {
            return response((200, b"{}".to_vec()));
        }
        self.put_furniture(1)?;
        if unseen || operation == "DescribeTable" {
            return response(self.embedded.call(operation, &without_stream(operation, body)));
        }
        let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let partition = partition(&request);
        if let Some(request) = request.as_object_mut() {
            request.insert("ReturnConsumedCapacity".to_owned(), Value::from("TOTAL"));
        }
        let (status, answer) = self.embedded.call(operation, request.to_string().as_bytes());
        let units = consumed(&answer);
        let reads = matches!(operation, "BatchGetItem" | "GetItem" | "Query");
        self.meter.count(|used| {
            used.requests += 1.0;
            *if reads { &mut used.reads } else { &mut used.writes } += units;
        });
        sleep(self.answers_in).await;
        if let Some(partition) = partition.filter(|_| reads) {
            self.turn(partition, units).await;
        }
        response((status, answer))
    }

    /// Keeps what a batch puts, until it is time to put a lot at once; not if the batch is of another kind.
    fn furnish(&self, operation: &str, body: &[u8]) -> Result<bool, ConnectorError> {
        let Some(puts) = (operation == "BatchWriteItem").then(|| puts(body)).flatten() else {
            return Ok(false);
        };
        self.furniture.lock().unwrap_or_else(PoisonError::into_inner).extend(puts);
        self.put_furniture(LOT)?;
        Ok(true)
    }

    /// Puts all that is to be put, if it is so much. The emulator looks at every page of its table when a write ends: a
    /// million items are put in lots, or never.
    fn put_furniture(&self, least: usize) -> Result<(), ConnectorError> {
        let mut furniture = self.furniture.lock().unwrap_or_else(PoisonError::into_inner);
        if furniture.len() < least {
            return Ok(());
        }
        let put = self.embedded.import(TABLE, std::mem::take(&mut *furniture));
        put.map_err(|error| ConnectorError::other(error.into(), None))
    }

    /// Waits until the partition has given so many units.
    async fn turn(&self, partition: String, units: f64) {
        let until = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let from = busy.get(&partition).copied().filter(|until| *until > now).unwrap_or(now);
            let until = from + Duration::from_secs_f64(units / UNITS_PER_SECOND);
            busy.insert(partition, until);
            until
        };
        sleep_until(until).await;
    }
}

/// The items that a batch puts; none if it does anything else.
fn puts(body: &[u8]) -> Option<Vec<Value>> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let writes = request.pointer_mut(&format!("/RequestItems/{TABLE}"))?.as_array_mut()?;
    writes.iter_mut().map(|write| Some(write.get_mut("PutRequest")?.get_mut("Item")?.take())).collect()
}

/// The partition that a request reads; of a batch that of its first key.
fn partition(request: &Value) -> Option<String> {
    let keys = format!("/RequestItems/{TABLE}/Keys/0/pk/S");
    let places = ["/ExpressionAttributeValues/:pk/S", "/Key/pk/S", &keys];
    places.iter().find_map(|place| request.pointer(place)?.as_str()).map(str::to_owned)
}

/// `CreateTable` without a stream.
fn without_stream(operation: &str, body: Vec<u8>) -> Vec<u8> {
    if operation != "CreateTable" {
        return body;
    }
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(request) = request.as_object_mut() {
        request.remove("StreamSpecification");
    }
    request.to_string().into_bytes()
}

/// What of an answer is counted; the rest of it, which may be a megabyte, is not even read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Counted {
    consumed_capacity: Option<Consumed>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Consumed {
    One(Units),
    Each(Vec<Units>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Units {
    capacity_units: f64,
}

/// The units that an answer says were consumed.
fn consumed(answer: &[u8]) -> f64 {
    match serde_json::from_slice::<Counted>(answer).unwrap_or_default().consumed_capacity {
        Some(Consumed::Each(tables)) => tables.iter().map(|table| table.capacity_units).sum(),
        Some(Consumed::One(table)) => table.capacity_units,
        None => 0.0,
    }
}

fn response((status, answer): (u16, Vec<u8>)) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

#[derive(Debug)]
struct Connector {
    table: Arc<Table>,
    unseen: bool,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (table, unseen) = (Arc::clone(&self.table), self.unseen);
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = target.unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move { table.answer(&operation, body, unseen).await })
    }
}
