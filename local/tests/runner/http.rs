//! HTTP as API Gateway's HTTP API has it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use switchboard::{Running, observer::Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
async fn a_body_that_never_ends_does_not_hold_up_the_end() {
    let (running, _) = started(options("endless")).await;
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // It asks for the body: now it waits for it.
    let mut told = [0; 12];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100");
    // Less than it waits for what does not end by itself.
    tokio::time::timeout(Duration::from_secs(9), running.shutdown()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("HTTP/1.1 503"), "{rest}");
}

/// What a page of another origin gets: the status, and the headers of CORS.
async fn asked_by_a_page(running: &Running, method: &str, path: &str, origin: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(format!("http://{}{path}", running.address));
    let mut request = request.header("origin", origin);
    if method == "OPTIONS" {
        request = request.header("access-control-request-method", "POST");
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response: Response<_> =
        client.request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control") || *name == http::header::VARY);
    let short = |name: &str| name.trim_start_matches("access-control-").to_owned();
    let headers = headers.map(|(name, value)| (short(name.as_str()), json!(value.to_str().unwrap())));
    (response.status().as_u16(), Value::Object(headers.collect()))
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_as_api_gateway_lets_them_in() {
    let (running, _) = started(options("cors")).await;
    let page = "https://page.example";
    let anybody = json!({"allow-origin": "*"});
    assert_eq!(asked_by_a_page(&running, "GET", "/echo/a", page).await, (200, anybody.clone()));
    assert_eq!(asked_by_a_page(&running, "GET", "/nothing", page).await, (404, anybody.clone()));
    let preflight = json!({
        "allow-origin": "*", "allow-methods": "GET,POST", "allow-headers": "*,authorization", "max-age": "7"
    });
    assert_eq!(asked_by_a_page(&running, "OPTIONS", "/echo", page).await, (204, preflight));
    running.shutdown().await;

    let mut listed = options("cors-listed");
    listed.allowed_origins = vec![page.to_owned()];
    let (running, _) = started(listed).await;
    let admitted = json!({"allow-origin": page, "allow-credentials": "true", "vary": "origin"});
    assert_eq!(asked_by_a_page(&running, "GET", "/echo/a", page).await, (200, admitted.clone()));
    let (status, preflight) = asked_by_a_page(&running, "OPTIONS", "/echo", page).await;
    assert_eq!(
        (status, &preflight["allow-origin"], &preflight["allow-credentials"]),
        (204, &json!(page), &json!("true"))
    );
    for other in ["https://evil.example", "null", "https://page.example.evil.example", ""] {
        assert_eq!(asked_by_a_page(&running, "GET", "/echo/a", other).await, (200, json!({})), "{other}");
        assert_eq!(asked_by_a_page(&running, "OPTIONS", "/echo", other).await, (204, json!({})), "{other}");
    }
    // Who is no page is told nothing.
    assert_eq!(ask(&running, "OPTIONS", "/echo", "").await.0, 404);
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
