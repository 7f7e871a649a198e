//! The table's stream and its triggers: Lambda's event source mapping on one machine.
//!
//! # Layout
//! - [`pattern`]: the filter.
//! - `record`: the SDK's records as the handlers' and as the filter's JSON.
//! - `shards`: reading, in the order of the shards.
//! - `batch`: calling, retrying, bisecting, giving up.
//! - `checkpoint`, `dead_letter`: what is remembered.
//!
//! # Promises
//! Every committed record is delivered at least once, in the order of its shard, also after a kill: the position
//! is remembered only after the function has succeeded, and what it published has left the queues. A trigger without a remembered position starts at the
//! oldest record there is (`TRIM_HORIZON`): announcing twice is harmless, not announcing is not. Shards are read
//! one after another; AWS reads them side by side.

mod batch;
mod checkpoint;
mod dead_letter;
pub mod pattern;
pub(crate) mod record;
mod shards;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use self::{
    batch::Delivery, checkpoint::Checkpoints, dead_letter::DeadLetters, record::Pending, shards::Shards,
};
use crate::{dynamodb::Tables, invoke::Invoker, template::Mapping, topic::queue::Queue};

/// How often a remote stream is asked for what others wrote.
const REMOTE_POLL: Duration = Duration::from_millis(250);
/// How often the embedded stream is asked, besides being woken by every write: for the removals of expired items.
const EMBEDDED_POLL: Duration = Duration::from_secs(1);
/// The pause after a read that failed.
const AFTER_ERROR: Duration = Duration::from_millis(500);
/// A position is remembered at most this often while records keep coming: each costs a write.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(250);

/// Tells when a trigger has delivered everything.
#[derive(Debug)]
pub(crate) struct Progress {
    wanted: AtomicU64,
    poke: watch::Sender<u64>,
    done: watch::Sender<u64>,
}

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self { wanted: AtomicU64::new(0), poke: watch::channel(0).0, done: watch::channel(0).0 })
    }

    /// Waits until all records written before this call have been delivered.
    pub(crate) async fn drained(&self) {
        let wanted = self.wanted.fetch_add(1, Ordering::SeqCst) + 1;
        self.poke.send_modify(|pokes| *pokes += 1);
        // The sender lives as long as this does.
        let _ = self.done.subscribe().wait_for(|done| *done >= wanted).await;
    }
}

/// One trigger.
#[derive(Debug)]
pub(crate) struct Trigger {
    mapping: Arc<Mapping>,
    shards: Shards,
    delivery: Delivery,
    checkpoints: Checkpoints,
    progress: Arc<Progress>,
    poll: Duration,
    /// Where what the function publishes goes through.
    downstream: Vec<Arc<Queue>>,
    /// A position that waits until what was published before it has left the queues.
    waiting: Option<(Positions, Vec<u64>)>,
}

/// What one round through the shards came to.
struct Passed {
    /// There was something.
    any: bool,
    /// Everything that had been written when the round began is delivered.
    all: bool,
}

/// How far each shard of a stream was delivered.
type Positions = (String, BTreeMap<String, String>);

impl Trigger {
    /// A trigger of the table's stream. `state` is the folder for what has to be remembered outside the table.
    pub(crate) fn new(
        mapping: Mapping,
        tables: &Tables,
        invoker: Invoker,
        state: Option<PathBuf>,
        downstream: Vec<Arc<Queue>>,
    ) -> Self {
        let mapping = Arc::new(mapping);
        let name = mapping.endpoint.name;
        let checkpoints = match &tables.embedded {
            Some(embedded) => Checkpoints::embedded(Arc::clone(embedded), name),
            None => Checkpoints::folder(state.as_deref(), name),
        };
        Self {
            shards: Shards::new(tables.streams.clone(), tables.name.clone()),
            delivery: Delivery::new(Arc::clone(&mapping), invoker, DeadLetters::new(state, name)),
            checkpoints,
            progress: Progress::new(),
            poll: if tables.embedded.is_some() { EMBEDDED_POLL } else { REMOTE_POLL },
            downstream,
            waiting: None,
            mapping,
        }
    }

    /// Tells how far it is.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Delivers until the server ends. A batch that is being delivered then is delivered again by the next run,
    /// unless it still succeeds.
    pub(crate) async fn run(mut self, mut written: watch::Receiver<u64>, mut closing: watch::Receiver<bool>) {
        let mut poked = self.progress.poke.subscribe();
        let mut remembered = Instant::now();
        let mut dirty = false;
        loop {
            let wanted = self.progress.wanted.load(Ordering::SeqCst);
            written.mark_unchanged();
            let passed = tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                passed = self.pass() => passed,
            };
            let (any, all) = passed.as_ref().map_or((false, false), |passed| (passed.any, passed.all));
            dirty |= any;
            if dirty && self.waiting.is_none() && remembered.elapsed() >= CHECKPOINT_INTERVAL {
                let marks = self.downstream.iter().map(|queue| queue.mark()).collect();
                self.waiting = Some((self.shards.positions(), marks));
                (dirty, remembered) = (false, Instant::now());
            }
            self.save_if_done().await;
            if all {
                // However much is written meanwhile.
                self.progress.done.send_replace(wanted);
            }
            if any {
                continue;
            }
            let mut wait = self.poll;
            if let Err(error) = passed {
                tracing::warn!(endpoint = self.mapping.endpoint.name, %error, "the stream was not read");
                wait = AFTER_ERROR;
            } else if !all {
                // A shard has ended: its children are to be read.
                continue;
            }
            if dirty || self.waiting.is_some() {
                wait = wait.min(CHECKPOINT_INTERVAL);
            }
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                _ = written.changed() => {}
                _ = poked.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        if dirty && self.downstream.iter().all(|queue| queue.is_done_up_to(queue.mark())) {
            self.checkpoints.save(self.shards.positions()).await;
        } else {
            self.save_if_done().await;
        }
    }

    /// Remembers the position that waits, if what was published before it has left the queues.
    async fn save_if_done(&mut self) {
        let done = |(_, marks): &mut (Positions, Vec<u64>)| {
            self.downstream.iter().zip(marks).all(|(queue, mark)| queue.is_done_up_to(*mark))
        };
        if let Some((positions, _)) = self.waiting.take_if(done) {
            self.checkpoints.save(positions).await;
        }
    }

    /// Reads and delivers what each shard has.
    async fn pass(&mut self) -> Result<Passed, shards::ReadError> {
        if self.shards.stale() {
            let known = &mut self.checkpoints;
            self.shards.refresh(|arn, shard| known.position(arn, shard)).await?;
        }
        let mut passed = Passed { any: false, all: true };
        for shard in self.shards.ready() {
            let shards::Read { records, all } = self.shards.read(&shard).await?;
            passed.any |= !records.is_empty();
            passed.all &= all;
            let batches = batches(records, &self.mapping);
            for (batch, last) in batches {
                self.delivery.deliver(batch).await;
                self.shards.done_up_to(&shard, last);
            }
        }
        Ok(passed)
    }
}

/// The records that pass the filter, cut into batches, each with the last sequence number that it disposes of.
fn batches(records: Vec<Pending>, mapping: &Mapping) -> Vec<(Vec<Pending>, String)> {
    let mut batches: Vec<(Vec<Pending>, String)> = Vec::new();
    for pending in records {
        let sequence = pending.record.sequence_number.clone();
        let wanted = mapping.filters.is_empty() || {
            let event = record::event(&pending.record);
            mapping.filters.iter().any(|filter| filter.matches(&event))
        };
        match batches.last_mut() {
            Some((batch, last)) if !wanted || batch.len() < mapping.batch_size => {
                *last = sequence;
                batch.extend(wanted.then_some(pending));
            }
            _ => batches.push((Vec::from_iter(wanted.then_some(pending)), sequence)),
        }
    }
    batches
}
