//! The `@connections` API: post to a connection, ask about it, close it.
//!
//! The same answers as API Gateway's, in two ways: in process, under the unmodified SDK client
//! ([`client`]), and over HTTP at `/{stage}/@connections/{id}`. Over HTTP a request must look signed
//! and come from this machine (the signature itself is not checked, because there is no AWS account here to check it
//! against), or have the server's secret.

use std::{fmt, sync::Arc};

use aws_sdk_apigatewaymanagement::{
    Client,
    config::{
        BehaviorVersion, Region, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode as SmithyStatus,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use domain::Dialect;
use handlers::gateway::Sockets;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::{
    connections::{Connections, PostError},
    observer::{Observer, Operation, endpoint},
};

/// The largest message, in bytes (API Gateway's quota).
pub const MAX_MESSAGE: usize = 128 * 1024;

/// The code with which a DELETE closes, as API Gateway's does: it takes none, and always says "normal closure".
pub const CLOSED_BY_SERVER: u16 = 1000;

/// Where an error's code stands in an answer of a REST-JSON service.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Answers a request of the `@connections` API.
pub(crate) fn answer(
    connections: &Connections,
    dialect: Option<Dialect>,
    method: &Method,
    id: &str,
    body: Bytes,
) -> http::Response<Bytes> {
    let connection = connections.get(id).filter(|connection| dialect.is_none_or(|d| d == connection.dialect));
    let Some(connection) = connection else { return error(StatusCode::GONE, "GoneException", "Gone") };
    if method == Method::POST {
        if body.len() > MAX_MESSAGE {
            return error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Message too long");
        }
        // API Gateway sends text; bytes that are no text cannot be sent.
        let Ok(text) = Utf8Bytes::try_from(body) else {
            return error(StatusCode::BAD_REQUEST, "BadRequestException", "The message is not UTF-8");
        };
        return match connection.post(text) {
            Ok(()) => plain(StatusCode::OK, Bytes::new()),
            Err(PostError::Gone) => error(StatusCode::GONE, "GoneException", "Gone"),
            Err(PostError::Full) => {
                error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", "The client's buffer is full")
            }
        };
    }
    if method == Method::DELETE {
        connection.close(CLOSED_BY_SERVER, "Connection closed by server");
        return plain(StatusCode::NO_CONTENT, Bytes::new());
    }
    if method != Method::GET {
        return error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedException", "Method not allowed");
    }
    let told = serde_json::json!({
        "connectedAt": connection.origin.connected_at.to_iso(),
        "identity": {"sourceIp": connection.origin.source_ip, "userAgent": connection.origin.user_agent},
        "lastActiveAt": connection.last_active_at().to_iso(),
    });
    plain(StatusCode::OK, Bytes::from(told.to_string()))
}

fn plain(status: StatusCode, body: Bytes) -> http::Response<Bytes> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn error(status: StatusCode, code: &'static str, message: &str) -> http::Response<Bytes> {
    let mut response = plain(status, Bytes::from(serde_json::json!({ "message": message }).to_string()));
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(code));
    response
}

/// The id in a path `…/@connections/{id}`, decoded.
pub(crate) fn connection_id(path: &str) -> Option<String> {
    let (_, id) = path.split_once("/@connections/")?;
    percent_encoding::percent_decode_str(id).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A dialect's SDK client that reaches the connections of this process, without TCP.
#[must_use]
pub fn client(connections: &Connections, dialect: Dialect, observer: Option<Arc<dyn Observer>>) -> Client {
    client_over(SharedHttpConnector::new(InProcess { connections: connections.clone(), dialect, observer }))
}

/// The SDK's client over a connector, without TCP and without its own retries.
#[must_use]
pub fn client_over(connector: SharedHttpConnector) -> Client {
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .allow_no_auth()
        .region(Region::from_static("us-east-1"))
        .endpoint_url("http://local.invalid")
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Client::from_conf(config)
}

/// The connections of this process, without the SDK between.
pub(crate) struct Direct {
    connections: Connections,
    observer: Option<Arc<dyn Observer>>,
}

impl Direct {
    pub(crate) fn new(connections: Connections, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { connections, observer }
    }

    fn told(&self, method: &Method, status: StatusCode) {
        if let Some(observer) = &self.observer {
            observer.observe(&operation(method, status));
        }
    }
}

impl Sockets for Direct {
    fn post(
        &self,
        dialect: Dialect,
        connection: &str,
        frame: Bytes,
    ) -> Result<(), handlers::gateway::PostError> {
        let response = answer(&self.connections, Some(dialect), &Method::POST, connection, frame);
        self.told(&Method::POST, response.status());
        match response.status() {
            StatusCode::OK => Ok(()),
            // API Gateway says 410 of a connection that is not there yet, too; here it is known which it is.
            StatusCode::GONE if self.connections.is_beginning(connection) => {
                Err(handlers::gateway::PostError::Later)
            }
            StatusCode::GONE => Err(handlers::gateway::PostError::Gone),
            StatusCode::TOO_MANY_REQUESTS => Err(handlers::gateway::PostError::Throttled),
            _ => Err(handlers::gateway::PostError::Refused),
        }
    }

    fn close(&self, dialect: Dialect, connection: &str) {
        let response = answer(&self.connections, Some(dialect), &Method::DELETE, connection, Bytes::new());
        self.told(&Method::DELETE, response.status());
    }
}

struct InProcess {
    connections: Connections,
    dialect: Dialect,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.reply(request))
    }
}

impl InProcess {
    fn reply(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let id = connection_id(request.uri().path()).unwrap_or_default();
        let method = request.method().clone();
        let body = shared_bytes(request.into_body());
        let (parts, body) = answer(&self.connections, Some(self.dialect), &method, &id, body).into_parts();
        if let Some(observer) = &self.observer {
            observer.observe(&operation(&method, parts.status));
        }
        let status = SmithyStatus::try_from(parts.status.as_u16());
        let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        if let Some(code) = parts.headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()) {
            response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        }
        Ok(response)
    }
}

pub(crate) fn operation(method: &Method, status: StatusCode) -> Operation {
    let name = match *method {
        Method::POST => "PostToConnection",
        Method::DELETE => "DeleteConnection",
        _ => "GetConnection",
    };
    Operation {
        endpoint: endpoint(),
        name: name.to_owned(),
        actions: vec!["ManageConnections"],
        appends: false,
        read_units: 0.0,
        write_units: 0.0,
        failed: !status.is_success(),
    }
}

/// The body's bytes without a copy: a `Blob` reaches the connector as one shared buffer.
fn shared_bytes(mut body: SdkBody) -> Bytes {
    use http_body_util::BodyExt;
    let mut collected = Bytes::new();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    // An in-memory body is ready at once; it has one frame.
    while let std::task::Poll::Ready(Some(Ok(frame))) =
        std::pin::pin!(body.frame()).as_mut().poll(&mut context)
    {
        let Ok(data) = frame.into_data() else { continue };
        if collected.is_empty() {
            collected = data;
        } else {
            collected = [collected, data].concat().into();
        }
    }
    collected
}

#[cfg(test)]
mod tests {
    use aws_sdk_apigatewaymanagement::{
        error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
    };
    use domain::Timestamp;

    use super::*;
    use crate::connections::{Connection, MAX_WAITING_FRAMES, Origin};

    #[tokio::test]
    async fn the_sdk_reads_every_error_as_aws_spells_it() {
        let connections = Connections::default();
        let origin = Origin {
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "test".to_owned(),
            connected_at: Timestamp::from_millis(1_580_275_783_233),
        };
        let (connection, mut waiting) = Connection::new("a-b_c=".to_owned(), Dialect::Channels, origin);
        connections.insert(connection);
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let observer = move |operation: &Operation| log.lock().unwrap().push(operation.clone());
        let channels = client(&connections, Dialect::Channels, Some(Arc::new(observer)));
        let post = |client: &Client, id: &str, data: Vec<u8>| {
            client.post_to_connection().connection_id(id).data(Blob::new(data)).send()
        };
        post(&channels, "a-b_c=", b"hello".to_vec()).await.unwrap();
        assert_eq!(waiting.frames.try_recv().unwrap().as_str(), "hello");
        let told = channels.get_connection().connection_id("a-b_c=").send().await.unwrap();
        assert_eq!(told.identity().unwrap().source_ip(), Some("127.0.0.1"));
        assert_eq!(told.connected_at().unwrap().to_millis().unwrap(), 1_580_275_783_233);
        let gone = |error: SdkError<PostToConnectionError>| error.into_service_error().is_gone_exception();
        assert!(gone(post(&channels, "other", b"x".to_vec()).await.unwrap_err()));
        let events = client(&connections, Dialect::Events, None);
        assert!(
            gone(post(&events, "a-b_c=", b"x".to_vec()).await.unwrap_err()),
            "another dialect's connection"
        );
        let large = post(&channels, "a-b_c=", vec![b'x'; MAX_MESSAGE + 1]).await.unwrap_err();
        assert!(large.into_service_error().is_payload_too_large_exception());
        for _ in 0..=MAX_WAITING_FRAMES {
            let _ = post(&channels, "a-b_c=", b"x".to_vec()).await;
        }
        let full = post(&channels, "a-b_c=", b"x".to_vec()).await.unwrap_err();
        assert!(full.into_service_error().is_limit_exceeded_exception());
        channels.delete_connection().connection_id("a-b_c=").send().await.unwrap();
        assert_eq!(waiting.close.borrow().as_ref().unwrap().code, CLOSED_BY_SERVER);
        assert!(gone(post(&channels, "a-b_c=", b"x".to_vec()).await.unwrap_err()), "closing is gone");
        let seen = seen.lock().unwrap();
        let names = [seen[0].name.as_str(), seen[1].name.as_str(), seen[seen.len() - 2].name.as_str()];
        assert_eq!(names, ["PostToConnection", "GetConnection", "DeleteConnection"]);
        assert!(seen.iter().all(|operation| operation.actions == ["ManageConnections"]));
        assert!(!seen[0].failed && seen[2].failed);
    }
}
