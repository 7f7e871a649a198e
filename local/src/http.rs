//! The one port: `/healthz`, `/metrics`, the HTTP API's routes, the WebSocket APIs, and `@connections`.
//!
//! Answers, limits and errors are API Gateway's, and CORS, so that what passes here passes there. Everything else that a
//! body or a header says is the handlers' own; a route that the template does not name is a 404.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::Dialect;
use handlers::{
    auth,
    context::Context,
    invocation::{HttpCall, Invocation, Reply},
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    connections::{Connections, Tasks},
    cors::{self, Cors},
    files::Files,
    invoke::{InvokeError, Invoker, request_id},
    management, prometheus,
    routes::Routes,
    websocket::{SocketTimes, handshake},
};

/// The largest request body, in bytes (API Gateway's quota for HTTP APIs).
pub const MAX_REQUEST_BODY: usize = 10 * 1024 * 1024;
/// The largest response body, in bytes (Lambda's quota for a synchronous reply).
pub const MAX_RESPONSE_BODY: usize = 6 * 1024 * 1024;
/// The request line and the headers together, in bytes (API Gateway's quota).
const MAX_HEAD: usize = 10_240;
/// How long a function may take (API Gateway's quota for HTTP APIs).
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take for its headers, and again for its body.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// What proxies add to what they pass on.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Everything that a request may need.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) routes: Routes,
    /// The web client that is served beside the API.
    pub(crate) files: Option<Files>,
    /// What pages of other origins may do.
    pub(crate) cors: Option<Cors>,
    pub(crate) context: Arc<Context>,
    /// Who calls the functions.
    pub(crate) invoker: Invoker,
    pub(crate) connections: Connections,
    pub(crate) tasks: Tasks,
    pub(crate) socket_times: SocketTimes,
    /// Turns true when the server ends.
    pub(crate) closing: watch::Receiver<bool>,
}

/// Accepts connections until the server ends.
pub(crate) async fn serve(server: Arc<Server>, listener: TcpListener) {
    let mut closing = server.closing.clone();
    loop {
        let accepted = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => server.tasks.spawn(converse(Arc::clone(&server), stream, peer)),
            Err(error) => {
                // Out of file descriptors, most likely: a pause, instead of a loop at full speed.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(server: Arc<Server>, stream: TcpStream, peer: SocketAddr) {
    // Frames are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut closing = server.closing.clone();
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, std::convert::Infallible>(respond(server, request, peer).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(RECEIVE_TIMEOUT).max_header_size(MAX_HEAD);
    let mut connection =
        std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        // What breaks here is the client's own connection.
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond(server: Arc<Server>, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if path == "/healthz" && (request.method() == Method::GET || request.method() == Method::HEAD) {
        return message(StatusCode::OK, "ok");
    }
    if path == "/metrics"
        && request.method() == Method::GET
        && peer.ip().to_canonical().is_loopback()
        && let Invoker::InProcess(context) = &server.invoker
    {
        return metrics(context);
    }
    if handshake::is_upgrade(&request) {
        return match server.routes.socket(path) {
            Some(api) => handshake::answer(server, api, request, peer.ip().to_string()).await,
            None => message(StatusCode::NOT_FOUND, "Not Found"),
        };
    }
    if let Some(id) = management::connection_id(path) {
        return manage(&server, request, &id, peer).await;
    }
    if let Some(files) = &server.files
        && !server.routes.has(request.method(), path)
        && let Some(file) = files.answer(request.method(), path, !server.routes.begins(path)).await
    {
        return file;
    }
    let preflight = cors::asked_about(&request);
    let cors = server.cors.as_ref().filter(|_| request.headers().contains_key(header::ORIGIN));
    let cors = cors.filter(|_| {
        let found = server.routes.http(preflight.as_ref().unwrap_or(request.method()), path);
        found.is_none_or(|(endpoint, _)| endpoint.dialect != Some(Dialect::Channelstream))
    });
    let page = cors.and_then(|cors| cors.page(&server.context.allowed_origins, request.headers()));
    if let (Some(cors), Some(_)) = (cors, preflight) {
        return cors.preflight(page.as_ref());
    }
    let mut response = call(&server, request, peer).await;
    if let Some(page) = page {
        page.admit(response.headers_mut());
    }
    response
}

/// Calls the function of a route.
async fn call(server: &Server, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    let Some((endpoint, parameters)) = server.routes.http(request.method(), request.uri().path()) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let (head, body) = request.into_parts();
    // A client that never ends its body does not hold up the end of the server.
    let mut closing = server.closing.clone();
    let received = tokio::select! {
        received = receive(body, MAX_REQUEST_BODY) => received,
        _ = closing.wait_for(|closing| *closing) => Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    let body = match received {
        Ok(body) => body,
        Err(status) => return refuse_body(status),
    };
    let call = HttpCall {
        request_id: request_id(),
        method: head.method,
        path: head.uri.path().to_owned(),
        parameters,
        query: decoded_query(head.uri.query()),
        headers: head.headers,
        body,
        source_ip: peer.ip().to_string(),
    };
    match server.invoker.invoke(endpoint, Invocation::Http(call), INTEGRATION_TIMEOUT).await {
        Ok(Reply::Http(reply)) if reply.body.len() <= MAX_RESPONSE_BODY => {
            let mut response = Response::new(Full::new(reply.body));
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            response
        }
        Ok(Reply::Http(_) | Reply::Batch(_)) => {
            tracing::error!(endpoint = endpoint.name, "the reply is too large for Lambda, or no HTTP reply");
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(InvokeError::Panicked | InvokeError::Failed) => {
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(InvokeError::TimedOut) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

fn metrics(context: &Context) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(prometheus::text(&context.road.metrics.tally())));
    let media_type = HeaderValue::from_static(prometheus::MEDIA_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// `@connections` over HTTP. IAM is not here to say who may: the application's server may, by its secret, and a program on
/// this machine that signs as the SDKs do. What a proxy passes on may come from anywhere.
async fn manage(
    server: &Server,
    request: Request<Incoming>,
    id: &str,
    peer: SocketAddr,
) -> Response<Full<Bytes>> {
    let headers = request.headers();
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let signed = authorization.is_some_and(|value| value.starts_with(b"AWS4-HMAC-SHA256 "));
    let passed_on = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let local = signed && peer.ip().to_canonical().is_loopback() && !passed_on;
    let caller = if local { Ok(None) } else { auth::caller(&server.context, headers).await };
    if !local && !caller.is_ok_and(|caller| caller.is_some_and(|caller| caller.server)) {
        return message(StatusCode::FORBIDDEN, "Missing Authentication Token");
    }
    let (head, body) = request.into_parts();
    let dialect = head.uri.path().split('/').nth(1).and_then(Dialect::from_name);
    // One byte more than may be sent, so that the API's own error says it.
    match receive(body, MAX_REQUEST_BODY).await {
        Ok(body) => management::answer(&server.connections, dialect, &head.method, id, body).map(Full::new),
        Err(status) => refuse_body(status),
    }
}

async fn receive(body: Incoming, limit: usize) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(RECEIVE_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn refuse_body(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = message(
        status,
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            other => other.canonical_reason().unwrap_or("Bad Request"),
        },
    );
    // What the client still sends is not read.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// `{"message": …}`, as API Gateway's own answers are.
pub(crate) fn message(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "message": text }).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A query's pairs in their order, percent-decoded, `+` read as a space.
pub(crate) fn decoded_query(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Percent-decoded text; what is no UTF-8 becomes the replacement character.
pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
