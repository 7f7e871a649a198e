//! An `Invocation` as the JSON that AWS sends to a function, and the function's JSON as a `Reply`.
//!
//! The other half is the functions' own (`functions/src/event`); a test holds the two against one another.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use handlers::{
    endpoint::Trigger,
    invocation::{HttpCall, HttpReply, Invocation, QueueMessage, Reply, SocketCall, SocketEvent},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{http::decoded, stream::record};

const ACCOUNT: &str = "000000000000";
const API: &str = "local";

/// The event of a call.
#[must_use]
pub fn event(invocation: &Invocation, trigger: &Trigger) -> Value {
    match invocation {
        Invocation::Http(call) => http(call, trigger),
        Invocation::Socket(call) => socket(call),
        Invocation::Stream(records) => {
            json!({"Records": records.iter().map(record::event).collect::<Vec<_>>()})
        }
        Invocation::Queue(messages) => {
            let record = |message: &QueueMessage| {
                json!({
                    "messageId": message.id, "body": message.body, "eventSource": "aws:sqs",
                    "attributes": {"MessageGroupId": message.group},
                })
            };
            json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
        }
    }
}

/// Payload format 2.0: the path decoded, cookies beside the header fields, one value a name.
fn http(call: &HttpCall, trigger: &Trigger) -> Value {
    let path = decoded(&call.path);
    let route_key = match trigger {
        Trigger::Http { method, path } => format!("{method} {path}"),
        _ => "$default".to_owned(),
    };
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut cookies = Vec::new();
    for (name, value) in &call.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == header::COOKIE {
            cookies.extend(value.split("; ").map(str::to_owned));
            continue;
        }
        fields
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert(value);
    }
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<_> =
        call.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let (body, is_base64) = match std::str::from_utf8(&call.body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(&call.body), true),
    };
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query.join("&"),
        "headers": fields,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": call.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": call.source_ip,
                "userAgent": fields.get("user-agent"),
            },
            "requestId": call.request_id,
            "routeKey": route_key,
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": is_base64,
    });
    if let Some(event) = event.as_object_mut() {
        if !cookies.is_empty() {
            event.insert("cookies".to_owned(), json!(cookies));
        }
        if !call.parameters.is_empty() {
            event.insert("pathParameters".to_owned(), json!(call.parameters));
        }
    }
    event
}

fn socket(call: &SocketCall) -> Value {
    let mut event = Map::new();
    let mut farewell = None;
    let kind = match &call.event {
        SocketEvent::Connect => {
            let fields = many(call.headers.iter().map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            }));
            let query = many(call.query.iter().cloned());
            event.insert("headers".to_owned(), last(&fields));
            event.insert("multiValueHeaders".to_owned(), json!(fields));
            if !query.is_empty() {
                event.insert("queryStringParameters".to_owned(), last(&query));
                event.insert("multiValueQueryStringParameters".to_owned(), json!(query));
            }
            "CONNECT"
        }
        SocketEvent::Message(text) => {
            event.insert("body".to_owned(), json!(text));
            "MESSAGE"
        }
        SocketEvent::Disconnect { code, reason } => {
            farewell = Some((code, reason));
            "DISCONNECT"
        }
    };
    let context = json!({
        "apiId": API,
        "connectionId": call.connection_id,
        "disconnectReason": farewell.map(|(_, reason)| reason),
        "disconnectStatusCode": farewell.map(|(code, _)| code),
        "domainName": "localhost",
        "eventType": kind,
        "extendedRequestId": call.request_id,
        "identity": {"sourceIp": call.source_ip},
        "messageDirection": "IN",
        "requestId": call.request_id,
        "routeKey": call.route_key,
        "stage": "live",
        // The runtime's type of this event demands both; no handler reads them.
        "connectedAt": 0,
        "requestTimeEpoch": 0,
    });
    event.insert("requestContext".to_owned(), context);
    event.insert("isBase64Encoded".to_owned(), json!(false));
    Value::Object(event)
}

/// All values of each name, in their order.
fn many(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    all
}

/// The last value of each name, which is the one that API Gateway keeps where there is room for one.
fn last(all: &BTreeMap<String, Vec<String>>) -> Value {
    all.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect::<Map<_, _>>().into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpAnswer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchAnswer {
    #[serde(default)]
    batch_item_failures: Vec<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// What a function answered to a call of this trigger.
///
/// # Errors
/// What is wrong with the answer, as text.
pub fn reply(trigger: &Trigger, answer: &[u8]) -> Result<Reply, String> {
    match trigger {
        Trigger::Http { .. } | Trigger::Unrouted | Trigger::Socket { .. } => {
            http_reply(serde_json::from_slice(answer).map_err(|error| error.to_string())?).map(Reply::Http)
        }
        Trigger::Stream(_) | Trigger::Queue => {
            let answer: BatchAnswer = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
            Ok(Reply::Batch(answer.batch_item_failures.into_iter().map(|one| one.item_identifier).collect()))
        }
    }
}

fn http_reply(answer: HttpAnswer) -> Result<HttpReply, String> {
    let status = StatusCode::from_u16(answer.status_code).map_err(|error| error.to_string())?;
    let body = if answer.is_base64_encoded {
        BASE64_STANDARD.decode(answer.body).map_err(|error| error.to_string())?.into()
    } else {
        Bytes::from(answer.body)
    };
    let mut headers = HeaderMap::new();
    let cookies = answer.cookies.into_iter().map(|cookie| (header::SET_COOKIE.as_str().to_owned(), cookie));
    for (name, value) in answer.headers.into_iter().chain(cookies) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        headers.append(name, HeaderValue::from_str(&value).map_err(|error| error.to_string())?);
    }
    Ok(HttpReply { status, headers, body })
}
