//! `unsubscribe` on `/realtime`
//!
//! `{"action":"unsubscribe","channels":[…]}`: answered with `unsubscribed`. What was on its way may still come.

use std::sync::Arc;

use dialects::channels::topic;
use domain::{Dialect, Error};
use serde::{Deserialize, Serialize};

use super::{
    socket::{Command, answer},
    subscribe::names,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-unsubscribe",
    Dialect::Channels,
    "unsubscribe",
    &[Action::BatchWriteItem, Action::GetItem, Action::Query, Action::UpdateItem, Action::ManageConnections],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    channels: Vec<String>,
}

#[derive(Serialize)]
struct Unsubscribed {
    channels: Vec<String>,
}

async fn handle(cx: Arc<Context>, command: Arc<Command>) -> Result<(), Error> {
    let body: Body = command.body()?;
    let mut ended = Vec::new();
    for name in names(body.channels)? {
        match topic::parse(&name) {
            Ok(topic) => {
                cx.store.unsubscribe(&command.connection.id, &topic).await?;
                ended.push(name);
            }
            Err(error) => command.refuse(&cx, &error, Some(&name)).await,
        }
    }
    if !ended.is_empty() {
        command.reply(&cx, "unsubscribed", &Unsubscribed { channels: ended }).await;
    }
    Ok(())
}
