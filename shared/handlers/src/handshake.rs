//! The handshake of a WebSocket: who opens it, and from where; and its end.

use std::sync::Arc;

use domain::Error;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{
    auth::{self, Caller},
    context::Context,
    endpoint::Handling,
    invocation::{HttpReply, Invocation, Reply, SocketCall},
};

/// What a dialect's `$disconnect` does, where nothing but the connection is to be forgotten. It may never be
/// called: a post that finds the connection gone does the same, and so does the time to live.
pub fn ended(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let status = match cx.store.remove_connection(&call.connection_id).await {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::warn!(connection = call.connection_id, %error, "a connection is left to its time to live");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Reply::Http(HttpReply::empty(status))
    })
}

const PROTOCOL: HeaderName = header::SEC_WEBSOCKET_PROTOCOL;

/// The user who opens the socket: by `?token=`, by `Sec-WebSocket-Protocol: bearer, <token>`, or by
/// `Authorization: Bearer <token>`; none if nothing of it is there. With the reply that accepts it.
///
/// # Errors
/// [`Error::Forbidden`] from an origin that is not allowed, [`Error::Unauthenticated`] for a wrong token.
pub async fn user(cx: &Context, call: &SocketCall) -> Result<Option<(Caller, HttpReply)>, Error> {
    check_origin(cx, &call.headers)?;
    let accepted = HttpReply::empty(StatusCode::OK);
    if let Some((_, token)) = call.query.iter().find(|(name, _)| name == "token") {
        return Ok(Some((auth::user(cx, token).await?, accepted)));
    }
    if let Some(token) = protocol_token(&call.headers) {
        let caller = auth::user(cx, token).await?;
        return Ok(Some((caller, accepted.with(PROTOCOL, HeaderValue::from_static("bearer")))));
    }
    match auth::caller(cx, &call.headers).await? {
        Some(caller) if caller.user.is_some() => Ok(Some((caller, accepted))),
        Some(_) => Err(Error::Unauthenticated("A socket is a user's: name one with User-Id.")),
        None => Ok(None),
    }
}

/// Whether the client asks, by `?batch=1`, for its events in arrays: several in one post.
///
/// # Errors
/// [`Error::Invalid`] if it asks for something else.
pub fn wants_arrays(call: &SocketCall) -> Result<bool, Error> {
    match call.query.iter().find(|(name, _)| name == "batch").map(|(_, value)| value.as_str()) {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(Error::invalid("batch", "must be 0 or 1")),
    }
}

/// The token of `Sec-WebSocket-Protocol: bearer, <token>`.
fn protocol_token(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut protocols = values.flat_map(|value| value.split(',')).map(str::trim);
    protocols.find(|protocol| protocol.eq_ignore_ascii_case("bearer"))?;
    protocols.next()
}

/// Whether a cookie counts for anything here. A browser sends cookies along from any page: so the page must be
/// our own, or of an origin that is named on the list. A list that allows any names none.
#[must_use]
pub fn may_use_cookie(cx: &Context, headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_none_or(|origin| {
        is_same_origin(headers) || cx.allowed_origins.iter().any(|one| one.as_bytes() == origin.as_bytes())
    })
}

/// Whether the page that asks is of the host that is asked.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let page = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    page.is_some_and(|(_, host)| text(header::HOST).is_some_and(|asked| asked.eq_ignore_ascii_case(host)))
}

/// A browser says where its page is from: a page of an origin that is neither ours nor on the list, if there is
/// one, gets no socket.
fn check_origin(cx: &Context, headers: &HeaderMap) -> Result<(), Error> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let allowed = &cx.allowed_origins;
    if is_same_origin(headers)
        || allowed.is_empty()
        || allowed.iter().any(|one| one == "*" || one.as_bytes() == origin.as_bytes())
    {
        return Ok(());
    }
    Err(Error::Forbidden("This origin is not allowed."))
}
