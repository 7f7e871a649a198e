//! `subscribe` on `/realtime`
//!
//! `{"action":"subscribe","channels":[…],"after":{"<channel>":{"epoch","seq"}}?}`: what was missed, then
//! `subscribed` with the positions, then what comes. A topic that may not be subscribed to gets an error of its
//! own, the others are subscribed to. Seed 001, 1.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{Dialect, Error};
use serde::{Deserialize, Serialize};

use super::{
    resume::{Entering, Position},
    socket::{Command, answer},
};
use crate::{
    context::Context,
    delivery::post,
    endpoint::{Action, Endpoint},
    metrics::Metric,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-subscribe",
    Dialect::Channels,
    "subscribe",
    &[
        Action::BatchWriteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| answer(cx, call, handle),
);

/// Topics of one message.
const MOST_TOPICS: usize = 100;

#[derive(Deserialize)]
struct Body {
    channels: Vec<String>,
    #[serde(default)]
    after: Option<BTreeMap<String, Option<Position>>>,
}

#[derive(Serialize)]
struct Subscribed {
    channels: Vec<String>,
    positions: BTreeMap<String, Reached>,
}

#[derive(Serialize)]
struct Reached {
    epoch: String,
    seq: u64,
    recovered: bool,
}

async fn handle(cx: Arc<Context>, command: Arc<Command>) -> Result<(), Error> {
    let body: Body = command.body()?;
    let names = names(body.channels)?;
    let mut after = body.after.unwrap_or_default();
    let resuming: BTreeSet<String> =
        after.iter().filter(|(_, position)| position.is_some()).map(|(name, _)| name.clone()).collect();
    let mut entering = Entering::new(&cx, &command);
    let entered = async {
        for name in names {
            let position = after.remove(&name).flatten();
            entering.enter(name, position).await?;
        }
        if !entering.reached().is_empty() {
            let channels = entering.reached().iter().map(|one| one.name.clone()).collect();
            let positions = positions(&entering);
            count(&cx, &positions, &resuming);
            command.reply(&cx, "subscribed", &Subscribed { channels, positions }).await;
        }
        entering.let_go().await
    };
    if let Err(error) = entered.await {
        // What is half subscribed would be silent: the client has to come back and begin again.
        command.refuse(&cx, &error, None).await;
        post::park(&cx, &command.connection).await;
    }
    Ok(())
}

/// Counts what those who resume are told.
fn count(cx: &Context, positions: &BTreeMap<String, Reached>, resuming: &BTreeSet<String>) {
    let told = positions.iter().filter(|(name, _)| resuming.contains(*name));
    for (_, reached) in told {
        cx.road.metrics.count(if reached.recovered { Metric::Resumed } else { Metric::Reloads }, 1);
    }
}

fn positions(entering: &Entering<'_>) -> BTreeMap<String, Reached> {
    let reached = entering.reached().iter().map(|one| {
        let position =
            Reached { epoch: one.epoch().to_owned(), seq: one.sent().0, recovered: one.recovered() };
        (one.name.clone(), position)
    });
    reached.collect()
}

/// The topics that a message names, each once.
///
/// # Errors
/// [`Error::Invalid`] if it names none, or too many.
pub fn names(channels: Vec<String>) -> Result<Vec<String>, Error> {
    if channels.is_empty() || channels.len() > MOST_TOPICS {
        return Err(Error::invalid("channels", format!("must name 1 to {MOST_TOPICS} topics")));
    }
    let mut names: Vec<String> = Vec::with_capacity(channels.len());
    for name in channels {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}
