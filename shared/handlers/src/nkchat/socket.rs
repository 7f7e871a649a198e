//! From a frame on the socket to its answer.

use std::sync::Arc;

use bytes::Bytes;
use dialects::nkchat::{
    error::Refusal,
    event::{self, Event},
    frame::{self, Frame, Request},
};
use domain::{Dialect, Error, Object};
use http::StatusCode;
use serde_json::{Value, json};
use store::retry;

use super::{
    command::{self, After, Asker, Scope},
    relay,
    session::{self, Open, Pulse},
};
use crate::{
    context::Context,
    endpoint::Handling,
    gateway::PostError,
    invocation::{HttpReply, Invocation, Reply, SocketEvent},
    json,
};

/// API Gateway's limit on a message to a client.
const FRAME_BYTES: usize = 128 * 1024;
/// How often a frame is posted to a client that does not take it.
const POSTS: u32 = 8;

/// Answers a frame with the commands of this scope.
pub(super) fn answer(cx: Arc<Context>, invocation: Invocation, scope: Scope) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        if let SocketEvent::Message(text) = &call.event {
            handle(&cx, &call.connection_id, text, scope).await;
        }
        Reply::Http(HttpReply::empty(StatusCode::OK))
    })
}

async fn handle(cx: &Context, connection: &str, text: &str, scope: Scope) {
    let Ok(frame) = frame::parse(text, json::is_deep(text)) else {
        return cx.gateway.close(Dialect::Nkchat, connection).await;
    };
    let found = session::find(cx, connection).await;
    let now = cx.clock.now();
    if let Ok(Some(open)) = &found
        && open.state.pulse(now) == Pulse::Lost
    {
        return cx.gateway.close(Dialect::Nkchat, connection).await;
    }
    let done = match (frame, found) {
        (Frame::Request(request), Ok(session)) => {
            respond(cx, connection, session.as_ref(), scope, &request).await;
            Ok(())
        }
        (Frame::Request(request), Err(error)) => {
            refuse(cx, connection, &request, &error.into()).await;
            Ok(())
        }
        (Frame::Answer { tid, rest }, Ok(Some(open))) => relay::answered(cx, &open, &tid, rest).await,
        (Frame::Ack { tid }, Ok(Some(open))) => relay::acknowledged(cx, &open, &tid).await,
        (Frame::Event | Frame::Answer { .. } | Frame::Ack { .. }, _) => Ok(()),
    };
    if let Err(error) = done {
        tracing::warn!(connection, ?error, "an answer of a client is lost");
    }
}

/// Does a command, answers it, and does what is to be done after that.
async fn respond(cx: &Context, connection: &str, session: Option<&Open>, scope: Scope, request: &Request) {
    let caller = session.map(Open::caller);
    let asker = Asker { cx, caller: caller.as_ref(), connection: Some(connection), session };
    let (done, unknown) = match command::run(asker, scope, request).await {
        Ok(done) => done,
        Err(refusal) => return refuse(cx, connection, request, &refusal).await,
    };
    if done.after != After::Later {
        let frame = frame::ok(Some(&request.tid), done.data);
        if frame.len() > FRAME_BYTES {
            let refusal = Error::TooLarge { what: "The answer", limit: FRAME_BYTES }.into();
            return refuse(cx, connection, request, &refusal).await;
        }
        post(cx, connection, frame).await;
    }
    let due = session.is_some_and(|open| open.state.pulse(cx.clock.now()) == Pulse::Due);
    match done.after {
        After::Close(whose) => close(cx, &whose).await,
        After::Ping => ping(cx, connection).await,
        After::Nothing | After::Later if due => ping(cx, connection).await,
        After::Nothing | After::Later => {}
    }
    if unknown.is_empty() {
        return;
    }
    match session {
        Some(open) => tell_unknown(cx, open, request, &unknown).await,
        // It has just logged in.
        None => match session::find(cx, connection).await {
            Ok(Some(open)) => tell_unknown(cx, &open, request, &unknown).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(connection, ?error, "nobody is told of unknown fields"),
        },
    }
}

async fn refuse(cx: &Context, connection: &str, request: &Request, refusal: &Refusal) {
    if let Refusal::Domain(Error::Internal(text)) = refusal {
        tracing::error!(connection, text, "internal error");
    }
    post(cx, connection, frame::error(Some(&request.tid), refusal)).await;
}

/// Sends the server's ping.
async fn ping(cx: &Context, connection: &str) {
    let now = cx.clock.now();
    match session::change(cx, connection, |state| Ok(state.count_ping(now))).await {
        Ok(tid) => post(cx, connection, frame::ping(tid)).await,
        Err(error) => tracing::warn!(connection, ?error, "no ping"),
    }
}

/// Tells a session which fields of its command nobody knows.
async fn tell_unknown(cx: &Context, open: &Open, request: &Request, unknown: &[String]) {
    let body = json!({
        "class": request.class, "subclass": request.subclass, "cmd": request.cmd, "fields": unknown,
    });
    let Value::Object(body) = body else { return };
    let body: Object = body.into_iter().filter(|(_, value)| *value != "").collect();
    let event = Event::core(event::SESSION_EVENT, "unrecognized_fields", &open.state.id, body);
    tell(cx, open, &event).await;
}

/// Tells a session an event, if it wants to hear it.
pub(super) async fn tell(cx: &Context, open: &Open, event: &Event) {
    if let Some(telling) = event::telling(&open.state.subscriptions, event) {
        post(cx, &open.connection().id, event.encode(&telling)).await;
    }
}

/// Ends sessions: their connections are closed.
pub(super) async fn close(cx: &Context, connections: &[String]) {
    for connection in connections {
        cx.gateway.close(Dialect::Nkchat, connection).await;
    }
}

/// Posts a frame. Whoever is gone needs none.
pub(super) async fn post(cx: &Context, connection: &str, frame: String) {
    let frame = Bytes::from(frame);
    for attempt in 0..POSTS {
        match cx.gateway.post(Dialect::Nkchat, connection, frame.clone()).await {
            Err(PostError::Throttled | PostError::Later) => {}
            Ok(()) | Err(PostError::Gone | PostError::Refused) => return,
        }
        retry::pause(attempt).await;
    }
    tracing::warn!(connection, "an answer was not taken");
}
