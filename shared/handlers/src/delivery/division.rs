//! A large audience: divided, divided anew, united again, and told through its shards.
//!
//! Whoever is in a shard stays in it for as long as the division stands, and the chunks of a shard keep their
//! order. The division changes only when every chunk that was sent has been delivered, so that nothing that is sent
//! afterwards, by another shard or straight, can overtake one (`docs/decisions/0016`).

use domain::{ConversationId, Error, Number, Topic};
use store::{
    change::Change,
    division::{Cuts, Division},
    stretch::Stretch,
};

use super::{
    chunk::{self, Carried, Chunk, List, Shard},
    topic,
};
use crate::{context::Context, metrics::Metric};

/// After how many rounds it is asked whether the division still fits.
const ROUNDS_PER_REVIEW: u64 = 8;

/// Tells a large audience of these changes: says whether it is told. If not, it has become small, everything that
/// was sent has been delivered, and it is to be served as a whole.
///
/// # Errors
/// [`Error::Busy`] if something was not taken: the same changes have to be brought again. [`Error::Internal`].
pub async fn tell(
    cx: &Context,
    id: &ConversationId,
    number: Number,
    changes: &[&Change],
    division: Option<Division>,
) -> Result<bool, Error> {
    let division = match division {
        Some(division) if !division.cuts.united => {
            if division.rounds % ROUNDS_PER_REVIEW == 0 {
                review(cx, id, division).await?
            } else {
                Some(division)
            }
        }
        before => Some(divide(cx, id, number, before.as_ref()).await?),
    };
    let Some(division) = division else { return Ok(false) };
    send(cx, id, &division, changes).await.map(|()| true)
}

/// Cuts the audience as it is now.
async fn divide(
    cx: &Context,
    id: &ConversationId,
    number: Number,
    before: Option<&Division>,
) -> Result<Division, Error> {
    let size = cx.road.settings.large_audience.max(1);
    let cuts = cx.store.cuts(id, &Topic::of_log(id), size).await?;
    change(cx, id, number, before, cuts).await
}

/// Puts other cuts in the place of those before.
async fn change(
    cx: &Context,
    id: &ConversationId,
    number: Number,
    before: Option<&Division>,
    cuts: Cuts,
) -> Result<Division, Error> {
    let now = cx.clock.now();
    let last = before.map_or(0, |before| before.generation);
    let generation = u64::try_from(now.millis()).unwrap_or_default().max(last + 1);
    let rounds = before.map_or(0, |before| before.rounds);
    let new = Division { number, generation, rounds, cuts };
    if !cx.store.divide(id, &new, before, now).await? {
        // Another reader of the stream was faster, with a signal of the same conversation.
        return Err(Error::Busy);
    }
    let (members, subscribers) = (new.cuts.members.len(), new.cuts.subscribers.len());
    tracing::info!(%number, generation, members, subscribers, united = new.cuts.united, "an audience is divided");
    Ok(new)
}

/// Whether the division still fits, where that can be changed: the division as it stands then; none if the
/// audience is united.
async fn review(cx: &Context, id: &ConversationId, division: Division) -> Result<Option<Division>, Error> {
    let served = cx.store.served(&division).await?;
    let shards = shards(&division);
    if shards.iter().any(|shard| served.contains_key(&shard.end())) {
        // It has ended, and is swept when all of these shards have been told so.
        return Ok(Some(division));
    }
    let sizes: Option<Vec<usize>> = shards
        .iter()
        .map(|shard| served.get(&shard.name()).filter(|one| one.round >= division.rounds).map(|one| one.size))
        .collect();
    // Something is still under way, or was given up: later.
    let Some(sizes) = sizes else { return Ok(Some(division)) };
    let most = cx.road.settings.large_audience.max(1);
    let all: usize = sizes.iter().sum();
    if all <= most / 2 {
        let united = Cuts { united: true, ..Cuts::default() };
        change(cx, id, division.number, Some(&division), united).await?;
        return Ok(None);
    }
    let uneven = sizes.iter().any(|size| *size > 2 * most);
    let sparse = shards.len() > 4 && all < shards.len() * most / 4;
    if uneven || sparse {
        return divide(cx, id, division.number, Some(&division)).await.map(Some);
    }
    Ok(Some(division))
}

/// The shards of a division.
#[must_use]
pub fn shards(division: &Division) -> Vec<Shard> {
    let of = |list, cuts: &[String]| {
        let stretches = Stretch::between(cuts).into_iter().enumerate();
        stretches.map(move |(at, stretch)| Shard { list, at, stretch })
    };
    let members = of(List::Members, &division.cuts.members);
    members.chain(of(List::Subscribers, &division.cuts.subscribers)).collect()
}

/// Sends the changes to the shards: to each, unless there are only read marks; those are for the readers alone.
async fn send(
    cx: &Context,
    id: &ConversationId,
    division: &Division,
    changes: &[&Change],
) -> Result<(), Error> {
    let (Some(client), Some(arn)) = (&cx.road.topics.client, &cx.road.topics.chunks) else {
        return Err(Error::Internal("a large audience, and no topic for its chunks".into()));
    };
    let for_all = changes.iter().any(|change| matches!(change, Change::Entry(_) | Change::Signal { .. }));
    let round =
        if for_all { cx.store.begin_round(id, division, cx.clock.now()).await? } else { division.rounds };
    let shards = shards(division);
    let loads = chunk::loads(changes);
    let last = loads.len().saturating_sub(1);
    // One load after the other: in a shard they must not overtake one another, whatever fails.
    for (at, load) in loads.iter().enumerate() {
        let mut parcels = Vec::with_capacity(shards.len());
        for shard in &shards {
            let carried: Vec<Carried> = load.iter().filter(|one| concerns(shard, one)).cloned().collect();
            if for_all || !carried.is_empty() {
                let (number, generation, shard) = (division.number, division.generation, shard.clone());
                let few_members = division.cuts.members.is_empty();
                let chunk = Chunk { number, generation, round, more: at < last, few_members, shard, carried };
                parcels.push(chunk.parcel()?);
            }
        }
        let left = topic::publish(client, arn, &parcels).await?;
        cx.road.metrics.count(Metric::ChunksPublished, parcels.len().saturating_sub(left.len()));
        if !left.is_empty() {
            tracing::error!(left = left.len(), of = parcels.len(), "chunks were not taken");
            return Err(Error::Busy);
        }
    }
    Ok(())
}

/// Whether the shard is to be told: read marks only where the reader is.
fn concerns(shard: &Shard, carried: &Carried) -> bool {
    match carried {
        Carried::Entries(..) | Carried::Signal(_) => true,
        Carried::Read { user, .. } => shard.list == List::Members && shard.stretch.contains(user.as_str()),
    }
}
