//! The table of a world: DynamoDB's [`Engine`] under the unmodified SDK, called inline, with everything between the two
//! that can go wrong.
//!
//! A request takes some virtual milliseconds on either side of the moment at which it is done; whoever drops it
//! meanwhile does not know whether it was.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use switchboard::dynamodb::{self, TABLE};
use tokio::sync::Notify;

use super::{
    beside::Beside,
    dice::Dice,
    engine::{Change, Engine},
    time,
    weather::Weather,
};

/// A place in a log: the conversation's number, the entry's.
pub type Place = (u64, u64);

/// The table.
pub struct Table {
    engine: Engine,
    beside: Option<Beside>,
    dice: Dice,
    weather: Weather,
    requests: AtomicU64,
    /// Tells of writes that were done.
    written: Notify,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Throttled,
    Conflict,
    LostBefore,
    LostAfter,
    BrokenBefore,
    BrokenAfter,
}

impl Table {
    /// An empty one; the emulator beside it, if that is wanted.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn new(seed: u64, weather: Weather, beside: bool) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            engine: Engine::default(),
            beside: beside.then(Beside::new).transpose()?,
            dice: Dice::new(seed, "table"),
            weather,
            requests: AtomicU64::new(0),
            written: Notify::new(),
        }))
    }

    /// A client of a process of its own: its retries have their own quota.
    #[must_use]
    pub fn client(self: &Arc<Self>, process: &str) -> aws_sdk_dynamodb::Client {
        let connector = SharedHttpConnector::new(Connector(Arc::clone(self)));
        let http = http_client_fn(move |_, _| connector.clone());
        let config = dynamodb::items_config(http, "http://local.invalid", true);
        let config = config.retry_partition(RetryPartition::custom(process.to_owned()).build());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// What was changed since this was last asked.
    pub fn changes(&self) -> Vec<Change> {
        self.engine.changes()
    }

    /// Every item there is.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.engine.items()
    }

    /// Removes those that are chosen of the items whose time to live is over; says how many.
    pub fn expire(&self, chosen: impl Fn() -> bool) -> usize {
        let second = u64::try_from(time::now().seconds()).unwrap_or_default();
        let gone = self.engine.over(second).into_iter().filter(|_| chosen()).map(|key| {
            self.call("DeleteItem", json!({"TableName": TABLE, "Key": key}).to_string().as_bytes());
        });
        gone.count()
    }

    /// In what the emulator beside it differs; empty where there is none.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn differences(&self) -> Result<Vec<String>, String> {
        self.beside.as_ref().map_or_else(|| Ok(Vec::new()), |beside| beside.differences(&self.items()))
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Waits until something was written, since this last returned.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    fn fate(&self, operation: &str) -> Fate {
        let rates = self.weather.rates();
        let writes = matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems");
        let strikes = |chance| self.weather.strikes(&self.dice, chance);
        if strikes(rates.throttled) {
            Fate::Throttled
        } else if writes && strikes(rates.conflict) {
            Fate::Conflict
        } else if strikes(rates.lost_before) {
            Fate::LostBefore
        } else if writes && strikes(rates.lost_after) {
            Fate::LostAfter
        } else if strikes(rates.broken) {
            if self.dice.permille(500) { Fate::BrokenBefore } else { Fate::BrokenAfter }
        } else {
            Fate::Done
        }
    }

    async fn answer(&self, operation: String, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
        self.requests.fetch_add(1, Relaxed);
        let fate = self.fate(&operation);
        let slow = if self.weather.strikes(&self.dice, self.weather.rates().slow) { 400 } else { 3 };
        let pause = |most| Duration::from_millis(self.dice.below(most));
        time::sleep(pause(slow)).await;
        let refused = match fate {
            Fate::Throttled => Some((400, "ProvisionedThroughputExceededException")),
            Fate::Conflict if operation == "TransactWriteItems" => return cancelled(&body),
            Fate::Conflict => Some((400, "TransactionConflictException")),
            Fate::BrokenBefore => Some((500, "InternalServerError")),
            Fate::LostBefore => return Err(lost().await),
            Fate::Done | Fate::LostAfter | Fate::BrokenAfter => None,
        };
        if let Some((status, code)) = refused {
            return failure(status, code);
        }
        let (status, answer) = self.done(&operation, &body);
        time::sleep(pause(3)).await;
        match fate {
            Fate::LostAfter => Err(lost().await),
            Fate::BrokenAfter => failure(500, "InternalServerError"),
            _ => response(status, answer),
        }
    }

    fn done(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let (status, answer) = match operation {
            "BatchWriteItem" | "BatchGetItem" => self.batch(operation, body),
            _ => self.call(operation, body),
        };
        if status != 200 {
            return (status, answer);
        }
        if !matches!(operation, "Query" | "GetItem" | "BatchGetItem") {
            self.written.notify_one();
        }
        if operation == "Query" && self.weather.strikes(&self.dice, self.weather.rates().short_page) {
            return (status, shortened(answer));
        }
        (status, answer)
    }

    fn call(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let answer = self.engine.call(operation, body);
        if let Some(beside) = &self.beside {
            beside.compare(operation, body, &answer);
        }
        answer
    }

    /// A batch of which some is left undone, and named.
    fn batch(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        if !self.weather.strikes(&self.dice, self.weather.rates().unprocessed) {
            return self.call(operation, body);
        }
        let Ok(mut request) = serde_json::from_slice::<Value>(body) else {
            return self.call(operation, body);
        };
        let gets = operation == "BatchGetItem";
        let path =
            if gets { format!("/RequestItems/{TABLE}/Keys") } else { format!("/RequestItems/{TABLE}") };
        let Some(Value::Array(parts)) = request.pointer_mut(&path) else {
            return self.call(operation, body);
        };
        if parts.len() < 2 {
            return self.call(operation, body);
        }
        let keep = self.dice.between(1, u64::try_from(parts.len()).unwrap_or(2) - 1);
        let rest = parts.split_off(usize::try_from(keep).unwrap_or(1));
        let (status, answer) = self.call(operation, request.to_string().as_bytes());
        let Ok(mut answer) = serde_json::from_slice::<Value>(&answer) else { return (status, answer) };
        if status == 200
            && let Some(answer) = answer.as_object_mut()
        {
            let mut left = request.pointer(&format!("/RequestItems/{TABLE}")).cloned().unwrap_or_default();
            if gets {
                left.as_object_mut().map(|left| left.insert("Keys".to_owned(), rest.into()));
            } else {
                left = rest.into();
            }
            let name = if gets { "UnprocessedKeys" } else { "UnprocessedItems" };
            answer.insert(name.to_owned(), json!({ TABLE: left }));
        }
        (status, answer.to_string().into_bytes())
    }
}

/// A page that ends after half of its items.
fn shortened(answer: Vec<u8>) -> Vec<u8> {
    let Ok(mut page) = serde_json::from_slice::<Value>(&answer) else { return answer };
    let Some(Value::Array(items)) = page.get_mut("Items") else { return answer };
    // DynamoDB never gives none where there is one.
    if items.len() < 2 {
        return answer;
    }
    items.truncate(items.len().div_ceil(2));
    let (count, last) = (items.len(), items.last().cloned().unwrap_or_default());
    let key = json!({"pk": last.get("pk"), "sk": last.get("sk")});
    if let Some(page) = page.as_object_mut() {
        page.insert("Count".to_owned(), count.into());
        page.insert("ScannedCount".to_owned(), count.into());
        page.insert("LastEvaluatedKey".to_owned(), key);
    }
    page.to_string().into_bytes()
}

/// The place in a log that an item has; none if it is no entry.
#[must_use]
pub fn place(item: &Value) -> Option<Place> {
    let number = item.pointer("/pk/S")?.as_str()?.strip_prefix("LOG#")?.parse().ok()?;
    Some((number, item.pointer("/sk/S")?.as_str()?.parse().ok()?))
}

async fn lost() -> ConnectorError {
    time::sleep(Duration::from_millis(900)).await;
    ConnectorError::timeout("no answer came".into())
}

fn cancelled(body: &[u8]) -> Result<HttpResponse, ConnectorError> {
    let items = serde_json::from_slice::<Value>(body).ok();
    let items = items.as_ref().and_then(|body| body.get("TransactItems")).and_then(Value::as_array);
    let mut reasons = vec![json!({"Code": "None"}); items.map_or(1, Vec::len)];
    if let Some(last) = reasons.last_mut() {
        *last = json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
    }
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled", "CancellationReasons": reasons,
    });
    response(400, body.to_string().into_bytes())
}

fn failure(status: u16, code: &str) -> Result<HttpResponse, ConnectorError> {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    response(status, json!({"__type": kind, "message": "the weather"}).to_string().into_bytes())
}

fn response(status: u16, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

#[derive(Debug)]
struct Connector(Arc<Table>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let table = Arc::clone(&self.0);
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = target.unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move { table.answer(operation, body).await })
    }
}
