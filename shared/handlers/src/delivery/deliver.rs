//! The function that the queue calls with chunks: it serves one shard of a large audience as the fan-out serves a
//! whole one.
//!
//! Chunks of one shard that come together are told in one go, in their order. If one of them cannot be, none of
//! them is done, and the queue brings them again before anything else of the shard.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Error, Event, Number};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use store::{change::Change, division::Served};

use super::{
    chunk::{self, Carried, Chunk},
    division, due, post,
    stage::Stage,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, Trigger},
    invocation::{HttpReply, Invocation, QueueMessage, Reply},
    metrics::{self, Metric},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint {
    name: "deliver",
    dialect: None,
    trigger: Trigger::Queue,
    access: &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    handler: answer,
};

/// Pauses between attempts while the table is busy, in milliseconds: together much less than the 60 s of the function.
const PAUSES: [u64; 5] = [200, 400, 800, 1_600, 3_200];

/// Shards of one call that are served at once.
const SHARDS_AT_ONCE: usize = 4;

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Queue(messages) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Batch(deliver(&cx, messages).await)
    })
}

/// Serves what is asked; the ids of the messages that must be brought again.
async fn deliver(cx: &Context, messages: Vec<QueueMessage>) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<QueueMessage>> = BTreeMap::new();
    for message in messages {
        groups.entry(message.group.clone()).or_default().push(message);
    }
    let failed = stream::iter(groups.into_values())
        .map(|group| async move {
            let done = serve_in_order(cx, &group).await;
            group.into_iter().skip(done).map(|message| message.id)
        })
        .buffered(SHARDS_AT_ONCE);
    failed.flat_map(stream::iter).collect().await
}

/// Serves the messages of one group; how many of them are done.
async fn serve_in_order(cx: &Context, messages: &[QueueMessage]) -> usize {
    let mut done = 0;
    while let Some(first) = messages.get(done) {
        let mut chunks: Vec<Chunk> = Vec::new();
        for message in messages.iter().skip(done) {
            match Chunk::parse(&message.body) {
                Ok(chunk) if chunks.last().is_none_or(|last| chunk.continues(last)) => chunks.push(chunk),
                _ => break,
            }
        }
        let taken = chunks.len();
        let served = match taken {
            0 => Err(Error::Internal("it is no chunk".into())),
            _ => serve(cx, chunks).await,
        };
        if let Err(error) = served {
            tracing::error!(message = first.id, group = first.group, %error, "a chunk is to be brought again");
            return done;
        }
        done += taken;
        cx.road.metrics.count(Metric::ChunksDelivered, taken);
    }
    done
}

/// Serves one shard.
async fn serve(cx: &Context, chunks: Vec<Chunk>) -> Result<(), Error> {
    let Some(first) = chunks.first().cloned() else { return Ok(()) };
    let Chunk { number, generation, shard, few_members, .. } = first;
    let round = chunks.iter().filter(|chunk| !chunk.more).map(|chunk| chunk.round).max();
    let carried = chunks.into_iter().flat_map(|chunk| chunk.carried);
    let carried: Vec<Carried> = carried.collect();
    let changes = patiently(|| chunk::unload(cx, number, carried.iter().cloned())).await?;
    let changes: Vec<&Change> = changes.iter().collect();
    let (stage, size) = patiently(|| Stage::set_for(cx, number, &changes, (&shard, few_members))).await?;
    if let Some(stage) = &stage {
        let due = patiently(|| due::of(cx, stage, &changes)).await?;
        let posted = post::post_all(cx, due.queues).await;
        if let Some(now) = posted.done {
            cx.road.metrics.told(metrics::written(changes.iter().copied()), now);
        }
        due::end(cx, &due.ended).await;
        due::forget(cx, stage, &posted.gone).await;
    }
    let Some(round) = round else { return Ok(()) };
    let served = Served { round, size };
    let (name, end) = (shard.name(), shard.end());
    let ended = changes.iter().any(|change| ends(change));
    if ended {
        // Before the round, which lets the audience be divided anew: then nobody would find it.
        patiently(|| cx.store.note_served((number, generation), &end, served, cx.clock.now())).await?;
    }
    patiently(|| cx.store.note_served((number, generation), &name, served, cx.clock.now())).await?;
    if ended {
        sweep(cx, number).await?;
    }
    Ok(())
}

/// Asks again, for some seconds, while the table is busy: what the function reports as failed the queue brings again only
/// when its time of invisibility is over, 90 s later, and holds up its shard until then.
async fn patiently<T, A: Future<Output = Result<T, Error>>>(ask: impl Fn() -> A) -> Result<T, Error> {
    for pause in PAUSES {
        match ask().await {
            Err(Error::Busy) => tokio::time::sleep(Duration::from_millis(pause)).await,
            other => return other,
        }
    }
    ask().await
}

/// Whether the change is the end of its conversation.
pub(super) fn ends(change: &Change) -> bool {
    matches!(change, Change::Entry(entry) if matches!(entry.event, Event::ConversationDeleted))
}

/// Removes what is left of a conversation that has ended, if every shard has been told: until then who subscribes is
/// judged by being a member. The last shard sees that all are done. Their rounds do not say it: of chunks that are sent
/// again some are known, and are delivered as what they were in the round before.
async fn sweep(cx: &Context, number: Number) -> Result<(), Error> {
    let Some(id) = cx.store.conversation_of(number).await? else { return Ok(()) };
    let Some(division) = cx.store.division(&id).await?.filter(|one| one.number == number) else {
        return Ok(());
    };
    let served = cx.store.served(&division).await?;
    if division::shards(&division).iter().all(|shard| served.contains_key(&shard.end())) {
        cx.store.sweep(&id, number).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_busy_table_is_asked_again_and_no_other_fault_is() {
        let asked = |faults: Vec<Error>| async move {
            let (left, calls) = (Cell::new(faults), Cell::new(0));
            let answer = patiently(|| async {
                calls.set(calls.get() + 1);
                let mut faults = left.take();
                let fault = faults.pop();
                left.set(faults);
                fault.map_or(Ok(()), Err)
            });
            (answer.await, calls.get())
        };
        assert_eq!(asked(Vec::new()).await, (Ok(()), 1));
        assert_eq!(asked(vec![Error::Busy, Error::Busy]).await, (Ok(()), 3));
        let tries = PAUSES.len() + 1;
        assert_eq!(asked(vec![Error::Busy; 99]).await, (Err(Error::Busy), tries));
        assert_eq!(asked(vec![Error::NotFound("x")]).await, (Err(Error::NotFound("x")), 1));
    }
}
