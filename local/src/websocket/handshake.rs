//! The handshake: `$connect` is asked first, and only its 2xx is followed by a 101.
//!
//! The whole runs in a task of its own: a client that goes away during `$connect` does not stop it, and whoever
//! was accepted is told to `$disconnect`, also when the 101 found nobody.

use std::sync::Arc;

use bytes::Bytes;
use handlers::invocation::{Invocation, Reply, SocketCall, SocketEvent};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{INTEGRATION_TIMEOUT, pump};
use crate::{
    connections::{Connection, Origin},
    http::{Server, decoded_query, message},
    invoke::{InvokeError, random_text, request_id},
    template::SocketApi,
};

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade<B>(request: &Request<B>) -> bool {
    request.method() == Method::GET
        && has_token(request.headers(), header::CONNECTION, "upgrade")
        && has_token(request.headers(), header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

/// Answers a handshake.
pub(crate) async fn answer<B>(
    server: Arc<Server>,
    api: Arc<SocketApi>,
    mut request: Request<B>,
    source_ip: String,
) -> Response<Full<Bytes>> {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response = message(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 is needed");
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).cloned() else {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let opening = Opening {
        // API Gateway's ids look like this: 11 random bytes.
        connection_id: random_text(11),
        headers: request.headers().clone(),
        query: decoded_query(request.uri().query()),
        source_ip,
    };
    let accepted = tokio::spawn(open(server, api, opening, upgrade)).await;
    match accepted {
        Ok(Ok(protocol)) => switch(&key, protocol),
        Ok(Err(status)) if status.is_server_error() => message(status, "Internal server error"),
        Ok(Err(status)) => message(status, status.canonical_reason().unwrap_or("Forbidden")),
        Err(_) => message(StatusCode::BAD_GATEWAY, "Internal server error"),
    }
}

struct Opening {
    connection_id: String,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    source_ip: String,
}

/// Asks `$connect`, and opens the connection if it may: says the subprotocol, or the status of the refusal.
async fn open(
    server: Arc<Server>,
    api: Arc<SocketApi>,
    opening: Opening,
    upgrade: OnUpgrade,
) -> Result<Option<HeaderValue>, StatusCode> {
    let user_agent = opening.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.unwrap_or_default().to_owned();
    let mut protocol = None;
    let _handshake = server.connections.begin(&opening.connection_id);
    if let Some(endpoint) = api.routes.get("$connect").copied() {
        let call = SocketCall {
            request_id: request_id(),
            connection_id: opening.connection_id.clone(),
            route_key: "$connect".to_owned(),
            event: SocketEvent::Connect,
            headers: opening.headers,
            query: opening.query,
            source_ip: opening.source_ip.clone(),
        };
        match server.invoker.invoke(endpoint, Invocation::Socket(call), INTEGRATION_TIMEOUT).await {
            Ok(Reply::Http(reply)) if reply.status.is_success() => {
                protocol = reply.headers.get(header::SEC_WEBSOCKET_PROTOCOL).cloned();
            }
            Ok(Reply::Http(reply)) => return Err(refusal(reply.status)),
            Ok(Reply::Batch(_)) | Err(InvokeError::Panicked | InvokeError::Failed) => {
                return Err(StatusCode::BAD_GATEWAY);
            }
            Err(InvokeError::TimedOut) => return Err(StatusCode::GATEWAY_TIMEOUT),
        }
    }
    let connected_at = server.context.clock.now();
    let origin = Origin { source_ip: opening.source_ip, user_agent, connected_at };
    let (connection, waiting) = Connection::new(opening.connection_id, api.dialect, origin);
    // From here on it can be posted to; what is posted before the 101 is out waits in its buffer.
    server.connections.insert(Arc::clone(&connection));
    let owner = Arc::clone(&server);
    server.tasks.spawn(async move { pump::run(&owner, &api, &connection, waiting, upgrade).await });
    Ok(protocol)
}

/// A handshake is refused with an error's status; anything else that is no 2xx makes no sense to a client.
fn refusal(status: StatusCode) -> StatusCode {
    if status.is_client_error() || status.is_server_error() { status } else { StatusCode::FORBIDDEN }
}

fn switch(key: &HeaderValue, protocol: Option<HeaderValue>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}
