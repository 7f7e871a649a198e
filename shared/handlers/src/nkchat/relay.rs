//! Commands that one session sends to another's client, and their answers.

use dialects::nkchat::{
    error::Refusal,
    fields::Fields,
    frame::{self, Tid},
};
use domain::Object;
use serde_json::Value;

use super::{
    command::{After, Asker, Done},
    session::{self, Open},
    socket,
};
use crate::context::Context;

/// `core/session/cmd`: sends a command to another session's client. Its answer comes later.
///
/// # Errors
/// [`Refusal::SessionNotFound`]; [`Refusal::Unauthorized`] for a session of somebody else's;
/// [`Refusal::NotImplemented`] over HTTP, where no answer can come.
pub async fn send(asker: Asker<'_>, tid: &Tid, fields: &mut Fields) -> Result<Done, Refusal> {
    let Asker { cx, connection: Some(connection), .. } = asker else { return Err(Refusal::NotImplemented) };
    let target = named(asker, fields).await?;
    let mut command = Object::new();
    command.insert("class".into(), fields.needed_text("class")?.into());
    if let Some(subclass) = fields.text("subclass")? {
        command.insert("subclass".into(), subclass.into());
    }
    command.insert("cmd".into(), fields.needed_text("cmd")?.into());
    if let Some(data) = fields.object("data")? {
        command.insert("data".into(), data.into());
    }
    let now = cx.clock.now();
    let to = &target.connection().id;
    let own = session::change(cx, to, |state| state.add_relay(connection, tid, now)).await?;
    command.insert("tid".into(), own.into());
    socket::post(cx, connection, frame::ack(tid)).await;
    socket::post(cx, to, Value::Object(command).to_string()).await;
    Ok(Done { data: None, after: After::Later })
}

/// The session that a command names: for who may do everything any, for others one of their own.
///
/// # Errors
/// [`Refusal::SessionNotFound`], [`Refusal::Unauthorized`].
pub async fn named(asker: Asker<'_>, fields: &mut Fields) -> Result<Open, Refusal> {
    let caller = asker.caller()?;
    let found = session::named(asker.cx, &fields.needed_text("session_id")?).await;
    match found {
        Ok(open) if caller.powerful || Some(&open.connection().user) == caller.user.as_ref() => Ok(open),
        Ok(_) => Err(Refusal::Unauthorized),
        Err(_) if !caller.powerful => Err(Refusal::SessionNotFound),
        Err(refusal) => Err(refusal),
    }
}

/// Takes a client's answer to the server's ping, or to another's command. One that is unknown means nothing.
///
/// # Errors
/// [`Refusal::Domain`].
pub async fn answered(cx: &Context, open: &Open, tid: &Tid, rest: Object) -> Result<(), Refusal> {
    let Some(tid) = expected(open, tid) else { return Ok(()) };
    let now = cx.clock.now();
    let relay = session::change(cx, &open.connection().id, |state| Ok(state.answer(tid, now))).await?;
    if let Some(relay) = relay {
        socket::post(cx, &relay.from, frame::answer(rest, Some(&relay.tid))).await;
    }
    Ok(())
}

/// Takes a client's word that an answer will come later.
///
/// # Errors
/// [`Refusal::Domain`].
pub async fn acknowledged(cx: &Context, open: &Open, tid: &Tid) -> Result<(), Refusal> {
    let Some(tid) = expected(open, tid) else { return Ok(()) };
    session::change(cx, &open.connection().id, |state| {
        state.acknowledge(tid);
        Ok(())
    })
    .await
}

/// The `tid`, if something waits under it.
fn expected(open: &Open, tid: &Tid) -> Option<u64> {
    let tid = tid.as_u64()?;
    let state = &open.state;
    let pinged = state.ping.as_ref().is_some_and(|ping| ping.tid == tid);
    (pinged || state.relays.contains_key(&tid)).then_some(tid)
}
