//! What the functions' processes talk to, on one loopback port: the Lambda Runtime API, DynamoDB, SNS, `@connections`.
//!
//! A process is told addresses that name it: the observer learns from them which function did what.

use std::{
    sync::{Arc, Weak},
    time::SystemTime,
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use bytes::Bytes;
use domain::Dialect;
use handlers::endpoint::Endpoint;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::Functions;
use crate::{connections::Connections, invoke::ENDPOINT, management, observer::Observer};

/// The Runtime API's only version.
const VERSION: &str = "2018-06-01";

pub(super) struct Api {
    pub(super) functions: Weak<Functions>,
    pub(super) dynamodb: Option<SharedHttpConnector>,
    pub(super) topics: SharedHttpConnector,
    pub(super) connections: Connections,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) endpoints: Vec<&'static Endpoint>,
}

/// Serves until it is aborted.
pub(super) async fn serve(api: Arc<Api>, listener: TcpListener) {
    let mut talking = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        while talking.try_join_next().is_some() {}
        let api = Arc::clone(&api);
        let service = service_fn(move |request| {
            let api = Arc::clone(&api);
            async move { Ok::<_, std::convert::Infallible>(api.answer(request).await) }
        });
        talking.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return plain(StatusCode::BAD_REQUEST, "") };
        let body = body.to_bytes();
        let path = head.uri.path().to_owned();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["runtime", instance, VERSION, "runtime", rest @ ..] => self.runtime(instance, rest, body).await,
            ["dynamodb", function] => {
                let Some(connector) = &self.dynamodb else { return plain(StatusCode::NOT_FOUND, "") };
                self.on_behalf_of(function, forward(connector, &head.headers, body)).await
            }
            ["sns", function] => {
                self.on_behalf_of(function, forward(&self.topics, &head.headers, body)).await
            }
            ["gateway", function, dialect, "@connections", ..] => {
                let Some(dialect) = Dialect::from_name(dialect) else {
                    return plain(StatusCode::NOT_FOUND, "");
                };
                let id = management::connection_id(&path).unwrap_or_default();
                let answering = async { self.manage(dialect, &head.method, &id, body) };
                self.on_behalf_of(function, answering).await
            }
            _ => plain(StatusCode::NOT_FOUND, ""),
        }
    }

    /// Does something that a function asked for, so that the observer knows which.
    async fn on_behalf_of<T>(&self, function: &str, asked: impl Future<Output = T>) -> T {
        match self.endpoints.iter().find(|endpoint| endpoint.name == function) {
            Some(endpoint) => ENDPOINT.scope(endpoint.name, asked).await,
            None => asked.await,
        }
    }

    async fn runtime(&self, instance: &str, path: &[&str], body: Bytes) -> Response<Full<Bytes>> {
        let desk = self.functions.upgrade().and_then(|functions| functions.desk(instance));
        let Some(desk) = desk else { return plain(StatusCode::FORBIDDEN, "no such instance") };
        let accepted = |taken: bool| match taken {
            true => plain(StatusCode::ACCEPTED, ""),
            false => plain(StatusCode::BAD_REQUEST, "no such request"),
        };
        match path {
            ["invocation", "next"] => match desk.next().await {
                Some((id, payload, deadline)) => next(&id, payload, deadline),
                None => plain(StatusCode::GONE, ""),
            },
            ["invocation", id, "response"] => accepted(desk.answer(id, Ok(body))),
            ["invocation", id, "error"] => accepted(desk.answer(id, Err(body))),
            ["init", "error"] => {
                // The process ends by itself now, and its call fails with that.
                tracing::error!(instance, told = %String::from_utf8_lossy(&body), "a function did not start");
                accepted(true)
            }
            _ => plain(StatusCode::NOT_FOUND, ""),
        }
    }

    fn manage(&self, dialect: Dialect, method: &Method, id: &str, body: Bytes) -> Response<Full<Bytes>> {
        let response = management::answer(&self.connections, Some(dialect), method, id, body);
        if let Some(observer) = &self.observer {
            observer.observe(&management::operation(method, response.status()));
        }
        response.map(Full::new)
    }
}

/// Hands a request of the SDK on to what answers it in this process, as it came.
async fn forward(connector: &SharedHttpConnector, headers: &HeaderMap, body: Bytes) -> Response<Full<Bytes>> {
    let mut request = Request::post("http://local.invalid/").header(header::CONTENT_LENGTH, body.len());
    for name in ["x-amz-target", "content-type"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let Ok(Ok(request)) = request.body(body.into()).map(HttpRequest::try_from) else {
        return plain(StatusCode::BAD_REQUEST, "");
    };
    let Ok(mut answer) = connector.call(request).await else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
    };
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = std::mem::replace(answer.body_mut(), aws_smithy_types::body::SdkBody::taken());
    let Ok(body) = body.collect().await else { return plain(StatusCode::INTERNAL_SERVER_ERROR, "") };
    let mut response = plain(status, body.to_bytes());
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

/// A call, as the Runtime API tells it.
fn next(id: &str, payload: Bytes, deadline: SystemTime) -> Response<Full<Bytes>> {
    let until = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut response = plain(StatusCode::OK, payload);
    let headers = response.headers_mut();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.to_owned()),
        ("lambda-runtime-deadline-ms", until.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:local".to_owned(),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
