//! A request of this dialect: signed by the application's server, or by nobody; and the replies.

use std::{future::Future, sync::Arc};

use dialects::channelstream::{error, pretty, schema, signature};
use domain::{ConversationId, Error, UserId};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use store::listener::Listener;

use crate::{
    auth::Caller,
    context::Context,
    endpoint::Handling,
    invocation::{HttpCall, HttpReply, Invocation, Reply},
    json,
};

/// Why a request gets no 2xx.
#[derive(Debug)]
pub enum Refusal {
    /// It bears no signature.
    Denied,
    /// It bears one that is wrong, or too old.
    BadSignature,
    /// It is not what it should be: what is wrong, by field.
    Invalid(Value),
    /// It names a connection that there is not.
    UnknownListener,
    /// It is for who has signed in.
    SignIn,
    /// Something else.
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Value> for Refusal {
    fn from(faults: Value) -> Self {
        Self::Invalid(faults)
    }
}

/// The application's server: it may do everything.
pub const SERVER: Caller = Caller { user: None, powerful: true, server: true };

/// Answers a request that the application's server must have signed.
pub fn answer<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, HttpCall) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Refusal>> + Send,
{
    answer_anybody(cx, invocation, move |cx, call| async move {
        check_signature(&cx, &call)?;
        handle(cx, call).await
    })
}

/// Answers a request of anybody.
pub fn answer_anybody<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, HttpCall) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Refusal>> + Send,
{
    Box::pin(async move {
        let Invocation::Http(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let (request_id, accept) = (call.request_id.clone(), accept(&call).to_owned());
        // Who signs need not, but not wrongly.
        let answer = match check_signature(&cx, &call) {
            Err(Refusal::BadSignature) => Err(Refusal::BadSignature),
            _ => handle(cx, call).await,
        };
        Reply::Http(answer.unwrap_or_else(|refusal| refuse(&request_id, &accept, &refusal)))
    })
}

/// Refuses what the application's server has not signed, by header or query.
///
/// # Errors
/// [`Refusal::Denied`], [`Refusal::BadSignature`].
pub fn check_signature(cx: &Context, call: &HttpCall) -> Result<(), Refusal> {
    let signed = match call.headers.get("x-channelstream-secret") {
        Some(value) => value.to_str().unwrap_or("?"),
        None => query(call, "secret").unwrap_or_default(),
    };
    if signed.is_empty() {
        return Err(Refusal::Denied);
    }
    // Where there is no secret, nobody has it.
    if cx.secrets.server.is_empty() || !signature::is_valid(signed, &cx.secrets.server, cx.clock.now()) {
        return Err(Refusal::BadSignature);
    }
    Ok(())
}

/// A query value; the first one, if it stands there several times.
#[must_use]
pub fn query<'a>(call: &'a HttpCall, name: &str) -> Option<&'a str> {
    call.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The JSON body.
///
/// # Errors
/// [`Error::Invalid`] if it is none, also if there is nothing.
pub fn body(call: &HttpCall) -> Result<Value, Error> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid("body", "Not valid JSON."));
    }
    json::parse(&call.body).map_err(|error| match error {
        Error::Invalid { .. } => Error::invalid("body", "Not valid JSON."),
        other => other,
    })
}

/// The body of a request about a connection's channels, the id of the connection where the query names it, and
/// the connection.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Busy`], [`Error::Internal`].
pub async fn subscription(
    cx: &Context,
    call: &HttpCall,
) -> Result<(Value, Option<Value>, Option<Listener>), Error> {
    let body = body(call)?;
    let conn_id = query(call, "conn_id").map(Value::from);
    let named = body.get("conn_id").or(conn_id.as_ref()).and_then(Value::as_str);
    let listener = match named.and_then(schema::uuid_of) {
        Some(id) => cx.store.listener(&id, cx.clock.now()).await?,
        None => None,
    };
    Ok((body, conn_id, listener))
}

/// Names that were checked.
#[must_use]
pub fn conversation(name: &str) -> ConversationId {
    ConversationId::trusted(name)
}

/// Names that were checked.
#[must_use]
pub fn user(name: &str) -> UserId {
    UserId::trusted(name)
}

/// 200, with a JSON body.
///
/// # Errors
/// None; it is a `Result` for its callers' sake.
pub fn reply<T: Serialize + ?Sized>(body: &T) -> Result<HttpReply, Refusal> {
    Ok(with_cors(of_type(StatusCode::OK, "application/json", pretty(body))))
}

/// A reply with a body of that type.
#[must_use]
pub fn of_type(status: StatusCode, kind: &'static str, body: Vec<u8>) -> HttpReply {
    HttpReply::json(status, body).with(header::CONTENT_TYPE, HeaderValue::from_static(kind))
}

/// The reply with the original's CORS headers, which it has on success only.
#[must_use]
pub fn with_cors(reply: HttpReply) -> HttpReply {
    const HEADERS: [(&str, &str); 5] = [
        ("access-control-allow-origin", "*"),
        ("xdomainrequestallowed", "1"),
        ("access-control-allow-methods", "GET, POST, OPTIONS, PUT, DELETE, PATCH"),
        (
            "access-control-allow-headers",
            "Content-Type, Depth, User-Agent, X-File-Size, X-Requested-With, If-Modified-Since, X-File-Name, Cache-Control, Pragma, Origin, Connection, Referer, Cookie",
        ),
        ("access-control-max-age", "86400"),
    ];
    HEADERS.into_iter().fold(reply, |reply, (name, value)| {
        reply.with(HeaderName::from_static(name), HeaderValue::from_static(value))
    })
}

fn accept(call: &HttpCall) -> &str {
    call.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a path is one of this dialect's.
#[must_use]
pub fn is_path(path: &str) -> bool {
    const PATHS: [&str; 10] = [
        "/connect",
        "/subscribe",
        "/unsubscribe",
        "/user_state",
        "/message",
        "/channel_config",
        "/info",
        "/disconnect",
        "/listen",
        "/admin/admin.json",
    ];
    PATHS.contains(&path)
}

/// Answers a path of this dialect with a method that has no function: 404, as the original does, and 200 to
/// `OPTIONS`. The original tells of channels by any method.
pub fn unrouted(cx: Arc<Context>, invocation: Invocation) -> Handling {
    if let Invocation::Http(call) = &invocation
        && call.path == "/info"
        && matches!(call.method, http::Method::PUT | http::Method::PATCH | http::Method::DELETE)
    {
        return answer(cx, invocation, super::info::handle);
    }
    answer_anybody(cx, invocation, |_, call| async move {
        if call.method == http::Method::OPTIONS {
            return Ok(with_cors(of_type(StatusCode::OK, "text/plain; charset=UTF-8", Vec::new())));
        }
        let more = error::mismatch(&call.path);
        let (kind, body) = error::page(accept(&call), "404 Not Found", error::NOWHERE, &more);
        Ok(of_type(StatusCode::NOT_FOUND, kind, body))
    })
}

fn refuse(request_id: &str, accept: &str, refusal: &Refusal) -> HttpReply {
    let page = |status, title, text| {
        let (kind, body) = error::page(accept, title, text, "");
        of_type(status, kind, body)
    };
    let json = |status, body: &Value| of_type(status, "application/json", pretty(body));
    match refusal {
        Refusal::Denied => page(StatusCode::FORBIDDEN, "403 Forbidden", error::DENIED),
        Refusal::UnknownListener => page(StatusCode::UNAUTHORIZED, "401 Unauthorized", error::UNKNOWN),
        Refusal::BadSignature => {
            json(StatusCode::UNAUTHORIZED, &serde_json::json!({ "request": "Bad Signature" }))
        }
        Refusal::Invalid(faults) => json(StatusCode::UNPROCESSABLE_ENTITY, faults),
        Refusal::SignIn => page(StatusCode::FOUND, "302 Found", "")
            .with(header::LOCATION, HeaderValue::from_static("/admin/sign_in")),
        Refusal::Error(error) => {
            if let Error::Internal(text) = error {
                tracing::error!(request_id, text, "internal error");
            }
            let (status, body) = error::encode(error);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            of_type(status, "application/json", body)
        }
    }
}
