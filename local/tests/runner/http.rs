//! HTTP as API Gateway's HTTP API has it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use switchboard::{Running, observer::Operation};

use crate::world::{options, started};

pub(crate) async fn send(running: &Running, request: Request<Full<Bytes>>) -> (StatusCode, Bytes) {
    let (mut parts, body) = request.into_parts();
    parts.uri = format!("http://{}{}", running.address, parts.uri).parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response: Response<_> = client.request(Request::from_parts(parts, body)).await.unwrap();
    (response.status(), response.into_body().collect().await.unwrap().to_bytes())
}

async fn ask(running: &Running, method: &str, path: &str, body: impl Into<Bytes>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).body(Full::new(body.into())).unwrap();
    let (status, body) = send(running, request).await;
    (status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn routes_limits_and_failures_are_answered_as_api_gateway_answers() {
    let (running, _) = started(options("http")).await;
    assert_eq!(ask(&running, "GET", "/healthz", "").await.0, 200);
    let (status, told) = ask(&running, "GET", "/echo/a%2Fb%20c?x=1+2&x=%2B", "").await;
    assert_eq!(status, 200);
    assert_eq!(
        told,
        json!({"parameters": {"id": "a/b c"}, "query": [["x", "1 2"], ["x", "+"]], "size": 0, "ip": "127.0.0.1"})
    );
    let not_found = json!({"message": "Not Found"});
    assert_eq!(ask(&running, "GET", "/nothing", "").await, (404, not_found.clone()));
    assert_eq!(ask(&running, "DELETE", "/echo/a", "").await, (404, not_found), "a method without a route");
    let most = switchboard::http::MAX_REQUEST_BODY;
    assert_eq!(ask(&running, "POST", "/echo", vec![0; most]).await.1["size"], most);
    let (status, told) = ask(&running, "POST", "/echo", vec![0; most + 1]).await;
    assert_eq!((status, told), (413, json!({"message": "Request Entity Too Large"})));
    let panicked = ask(&running, "GET", "/panic", "").await;
    assert_eq!(panicked, (500, json!({"message": "Internal Server Error"})));
    assert_eq!(ask(&running, "GET", "/echo/a", "").await.0, 200, "the server lives on");
    running.shutdown().await;
}

#[tokio::test]
async fn an_observer_sees_which_function_did_what() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mut options = options("observer");
    options.observer =
        Some(Arc::new(move |operation: &Operation| log.lock().unwrap().push(operation.clone())));
    let (running, world) = started(options).await;
    world.items.set((running.items.clone(), running.table.clone())).unwrap();
    ask(&running, "POST", "/write", "").await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!((seen[0].endpoint, seen[0].actions.as_slice()), (Some("toy-echo"), ["PutItem"].as_slice()));
    assert_eq!((seen[0].write_units, seen[0].failed), (1.0, false));
}
