//! Which function a message goes to, and what the client hears when there is none or it fails.

use std::sync::Arc;

use handlers::{
    endpoint::Endpoint,
    invocation::{Invocation, SocketCall, SocketEvent},
};
use http::HeaderMap;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::INTEGRATION_TIMEOUT;
use crate::{connections::Connection, http::Server, invoke::request_id, template::SocketApi};

/// What an open socket has for its functions.
#[derive(Debug)]
pub(super) enum Inbound {
    /// A text message.
    Message(Utf8Bytes),
    /// The end, with its code and reason. Nothing follows.
    Closed(u16, String),
}

/// Calls the functions of a connection, one after another, until its end was told.
pub(super) async fn handle(
    server: &Server,
    api: &SocketApi,
    connection: &Arc<Connection>,
    mut inbox: mpsc::Receiver<Inbound>,
) {
    while let Some(inbound) = inbox.recv().await {
        let (key, endpoint, event) = match inbound {
            Inbound::Message(text) => {
                let (key, endpoint) = select(api, &text);
                (key, endpoint, SocketEvent::Message(text.as_str().to_owned()))
            }
            Inbound::Closed(code, reason) => {
                let key = "$disconnect".to_owned();
                let endpoint = api.routes.get(&key).copied();
                (key, endpoint, SocketEvent::Disconnect { code, reason })
            }
        };
        let told = matches!(event, SocketEvent::Message(_));
        let request_id = request_id();
        let problem = match endpoint {
            None => Some("Forbidden"),
            Some(endpoint) => {
                let call = SocketCall {
                    request_id: request_id.clone(),
                    connection_id: connection.id.clone(),
                    route_key: key,
                    event,
                    headers: HeaderMap::new(),
                    query: Vec::new(),
                    source_ip: connection.origin.source_ip.clone(),
                };
                let called =
                    server.invoker.invoke(endpoint, Invocation::Socket(call), INTEGRATION_TIMEOUT).await;
                called.is_err().then_some("Internal server error")
            }
        };
        if let Some(problem) = problem.filter(|_| told) {
            let body = serde_json::json!({
                "message": problem, "connectionId": connection.id, "requestId": request_id,
            });
            // A client whose buffer is full has worse problems than this.
            let _ = connection.post(body.to_string().into());
        }
    }
}

fn select(api: &SocketApi, text: &str) -> (String, Option<&'static Endpoint>) {
    // `$connect` is no route that a message can ask for.
    let key = api.selection.select(text).filter(|key| !key.starts_with('$'));
    match key.and_then(|key| api.routes.get(&key).map(|endpoint| (key, *endpoint))) {
        Some((key, endpoint)) => (key, Some(endpoint)),
        None => ("$default".to_owned(), api.routes.get("$default").copied()),
    }
}
