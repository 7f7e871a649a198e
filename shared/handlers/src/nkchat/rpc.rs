//! `POST /nkchat/rpc`
//!
//! One command without a socket: `{class, subclass, cmd, data}`, by the server's secret, by a user's name and
//! password, or by a user's token. Wire page, "HTTP".

use std::sync::Arc;

use dialects::nkchat::{
    error::Refusal,
    frame::{self, BadFrame},
};
use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::{
    command::{self, Asker, Scope},
    core, socket,
};
use crate::{
    auth::{self, Caller},
    context::Context,
    endpoint::{Action, Endpoint, Handling},
    invocation::{HttpCall, HttpReply, Invocation, Reply},
    json,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "nkchat-rpc",
    Dialect::Nkchat,
    Method::POST,
    "/nkchat/rpc",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    answer,
);

/// Bytes of a body.
const BODY_BYTES: usize = 100_000;

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Http(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Http(handle(&cx, &call).await)
    })
}

async fn handle(cx: &Context, call: &HttpCall) -> HttpReply {
    let caller = match who(cx, &call.headers).await {
        Ok(caller) => caller,
        Err(Refusal::Unauthorized) => return plain(StatusCode::FORBIDDEN, "Forbidden"),
        Err(Refusal::Domain(Error::Invalid { .. })) => return plain(StatusCode::BAD_REQUEST, "Bad Request"),
        Err(refusal) => return said(Err(refusal)),
    };
    if call.body.len() > BODY_BYTES {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large");
    }
    let deep = std::str::from_utf8(&call.body).is_ok_and(json::is_deep);
    let Ok(request) = frame::parse_rpc(&call.body, deep) as Result<_, BadFrame> else {
        return plain(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let asker = Asker { cx, caller: caller.as_ref(), connection: None, session: None };
    let done = command::run(asker, Scope::of(&request), &request).await;
    if let Ok((command::Done { after: command::After::Close(whose), .. }, _)) = &done {
        socket::close(cx, whose).await;
    }
    said(done.map(|(done, _)| done.data))
}

/// Who asks. What Basic says and is not the server's secret is a user's name and password, as for a login.
async fn who(cx: &Context, headers: &http::HeaderMap) -> Result<Option<Caller>, Refusal> {
    match auth::caller(cx, headers).await {
        Err(Error::Unauthenticated(_)) => {}
        other => return Ok(other?),
    }
    let (name, password) = auth::name_and_password(headers).ok_or(Refusal::Unauthorized)?;
    let (user, powerful) = core::prove(cx, &name, Some(&password)).await?;
    Ok(Some(Caller { user: Some(user), powerful, server: false }))
}

fn said(done: Result<Option<serde_json::Value>, Refusal>) -> HttpReply {
    let (status, body) = match done {
        Ok(data) => (StatusCode::OK, frame::ok(None, data)),
        Err(refusal) => {
            if let Refusal::Domain(Error::Internal(text)) = &refusal {
                tracing::error!(text, "internal error");
            }
            (StatusCode::OK, frame::error(None, &refusal))
        }
    };
    HttpReply::json(status, body.into_bytes())
}

fn plain(status: StatusCode, text: &'static str) -> HttpReply {
    HttpReply { status, headers: http::HeaderMap::new(), body: text.into() }
}
