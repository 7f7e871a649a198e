//! `$connect` of `/nkchat`
//!
//! Accepts a socket, also of somebody who has not said who it is: that is what `core/user/login` is for. A token
//! in the handshake logs in at once; with `?batch=1` beside it events come in arrays. Wire page, "Framing".

use std::sync::Arc;

use dialects::nkchat::error::Refusal;
use domain::{Dialect, Error, Object};
use http::StatusCode;

use super::session::{self, Arrival};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, answer_connect},
    handshake,
    invocation::{HttpReply, Invocation, SocketCall},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-connect",
    Dialect::Nkchat,
    "$connect",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    answer_connect(invocation, refuse, |call| async move {
        handle(&cx, &call).await.map_err(|refusal| match refusal {
            Refusal::Domain(error) => error,
            other => Error::Internal(format!("$connect: {other:?}")),
        })
    })
}

fn refuse(error: &Error) -> HttpReply {
    HttpReply::empty(match error {
        Error::Unauthenticated(_) | Error::Invalid { .. } => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

async fn handle(cx: &Context, call: &SocketCall) -> Result<HttpReply, Refusal> {
    let Ok(arrays) = handshake::wants_arrays(call) else {
        return Ok(HttpReply::empty(StatusCode::BAD_REQUEST));
    };
    let Some((caller, reply)) = handshake::user(cx, call).await? else {
        // Nothing is kept of a socket before somebody logs in on it.
        let status = if arrays { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        return Ok(HttpReply::empty(status));
    };
    let user = caller.user()?.clone();
    let name = user.as_str().to_owned();
    let who = Arrival { user, name, powerful: caller.powerful, meta: Object::new(), told: false, arrays };
    session::begin(cx, &call.connection_id, who).await?;
    Ok(reply)
}
