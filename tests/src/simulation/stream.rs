//! The stream of a world's table: shards that split, batches cut anywhere, each brought to the [`Trigger`].
//!
//! As in AWS: the records of one partition key stand in one shard, in order; a shard's child is read when the
//! shard has been read to its end; and nothing behind a batch is delivered before the batch is, or was given up. What
//! stands between the stream and the function, a queue for one, would be another [`Shard`] with its own batches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use handlers::invocation::{Item, StreamChange, StreamRecord};
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    cloud::Cloud,
    dice::Dice,
    engine::Change,
    expression,
    history::History,
    table::{self, Place, Table},
    time,
    trigger::Trigger,
    weather::Weather,
};

/// The most records of a batch.
const BATCH: u64 = 8;
/// The longest pause between two reads of a shard, in milliseconds.
const POLL: u64 = 60;

/// A shard: what of it is still to be delivered, and who reads on behind it.
#[derive(Debug, Default)]
struct Shard {
    waiting: VecDeque<StreamRecord>,
    parent: Option<usize>,
    closed: bool,
}

/// The stream.
#[derive(Debug)]
pub struct Stream {
    table: Arc<Table>,
    shards: Mutex<Vec<Shard>>,
    /// Which shard takes the records of a partition key now, by the key's hash.
    heads: Mutex<Vec<usize>>,
    /// Counts records.
    taken: AtomicU64,
    /// What the log's entries were when they were written.
    inserted: Mutex<Vec<Value>>,
    /// When each was.
    commits: Mutex<BTreeMap<Place, u64>>,
    /// What became of messages, each as it stood after a change.
    rewritten: Mutex<Vec<Value>>,
    busy: AtomicU64,
    /// Tells idle readers that something has come, or that a shard before theirs has been read.
    stirred: Notify,
    trigger: Trigger,
    dice: Dice,
    weather: Weather,
}

impl Stream {
    /// The table's stream, from its beginning.
    #[must_use]
    pub fn new(seed: u64, table: &Arc<Table>, weather: Weather, history: History) -> Arc<Self> {
        let dice = Dice::new(seed, "stream");
        let heads: Vec<usize> = (0..usize::try_from(dice.between(1, 3)).unwrap_or(1)).collect();
        Arc::new(Self {
            table: Arc::clone(table),
            shards: Mutex::new(heads.iter().map(|_| Shard::default()).collect()),
            heads: Mutex::new(heads),
            taken: AtomicU64::new(0),
            inserted: Mutex::default(),
            commits: Mutex::default(),
            rewritten: Mutex::default(),
            busy: AtomicU64::new(0),
            stirred: Notify::new(),
            trigger: Trigger::new(seed, dice.clone(), weather.clone(), history),
            dice,
            weather,
        })
    }

    /// The entries of all logs as they were written.
    #[must_use]
    pub fn inserted(&self) -> Vec<Value> {
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When each entry was committed, in virtual milliseconds.
    #[must_use]
    pub fn commits(&self) -> BTreeMap<Place, u64> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What became of the entries, in the order of the changes: each as it stood after one.
    #[must_use]
    pub fn rewritten(&self) -> Vec<Value> {
        self.rewritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads and delivers for as long as it is polled.
    pub async fn run(self: Arc<Self>, cloud: Arc<Cloud>) {
        let mut readers = tokio::task::JoinSet::new();
        let mut read = 0;
        loop {
            self.fetch();
            let count = self.shards.lock().unwrap_or_else(PoisonError::into_inner).len();
            while read < count {
                readers.spawn(Arc::clone(&self).read(read, Arc::clone(&cloud)));
                read += 1;
            }
            self.table.written().await;
            time::pass(1 + self.dice.below(POLL)).await;
        }
    }

    /// Whether everything that was written was delivered.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let new = self.fetch();
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = shards.iter().any(|shard| !shard.waiting.is_empty());
        !new && !waiting && self.busy.load(Relaxed) == 0
    }

    /// Takes what was written into the shards; says whether there was anything.
    fn fetch(&self) -> bool {
        let changes = self.table.changes();
        let any = !changes.is_empty();
        changes.iter().for_each(|change| self.take(change));
        self.stirred.notify_waiters();
        any
    }

    /// Takes a record, if the trigger's filter lets it through.
    fn take(&self, change: &Change) {
        // What was removed, by a function or because its time was over, it does not.
        let Some(new) = &change.new else { return };
        let text = |name: &str| new.get(name).and_then(|value| value.get("S")?.as_str()).unwrap_or_default();
        let key = text("pk");
        let kind = match change.old {
            None => StreamChange::Insert,
            Some(_) if !key.starts_with("LOG#") => StreamChange::Modify,
            Some(_) => {
                let image = Value::Object(new.clone());
                self.rewritten.lock().unwrap_or_else(PoisonError::into_inner).push(image);
                return;
            }
        };
        if !["LOG#", "READ#", "SIGNAL#"].iter().any(|prefix| key.starts_with(prefix)) {
            return;
        }
        if key.starts_with("LOG#") {
            let image = Value::Object(new.clone());
            let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
            commits.extend(table::place(&image).map(|place| (place, change.at)));
            self.inserted.lock().unwrap_or_else(PoisonError::into_inner).push(image);
        }
        let keys =
            ["pk", "sk"].iter().filter_map(|name| Some(((*name).to_owned(), attribute(new.get(*name)?)?)));
        let record = StreamRecord {
            change: kind,
            sequence_number: format!("{:021}", self.taken.fetch_add(1, Relaxed)),
            keys: keys.collect(),
            new_image: Some(item(new)),
            old_image: change.old.as_ref().map(item),
        };
        self.trigger.meet(&record, change.at);
        let hash = key.bytes().fold(7_usize, |hash, byte| (hash * 31 + usize::from(byte)) % 1_009);
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let (slot, slots) = (hash % heads.len().max(1), heads.len());
        let Some(head) = heads.get_mut(slot) else { return };
        if shards.len() < 3 * slots && self.weather.strikes(&self.dice, self.weather.rates().split) {
            // The shard ends here, and a child takes what comes.
            if let Some(parent) = shards.get_mut(*head) {
                parent.closed = true;
            }
            shards.push(Shard { parent: Some(*head), ..Shard::default() });
            *head = shards.len() - 1;
        }
        if let Some(shard) = shards.get_mut(*head) {
            shard.waiting.push_back(record);
        }
    }

    /// Reads a shard to its end.
    async fn read(self: Arc<Self>, shard: usize, cloud: Arc<Cloud>) {
        loop {
            // Nothing is polled for: an idle hour costs nothing.
            while !self.is_due(shard) {
                if self.is_over(shard) {
                    return;
                }
                self.stirred.notified().await;
            }
            time::pass(1 + self.dice.below(POLL)).await;
            let batch = {
                let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(this) = shards.get_mut(shard) else { return };
                let size = usize::try_from(self.dice.between(1, BATCH)).unwrap_or(1).min(this.waiting.len());
                this.waiting.iter().take(size).cloned().collect::<Vec<_>>()
            };
            self.busy.fetch_add(1, Relaxed);
            let size = batch.len();
            self.trigger.deliver(batch, &cloud).await;
            let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(this) = shards.get_mut(shard) {
                this.waiting.drain(..size);
            }
            self.busy.fetch_sub(1, Relaxed);
            self.stirred.notify_waiters();
        }
    }

    /// Whether there is something in the shard, and nothing in those that it continues.
    fn is_due(&self, shard: usize) -> bool {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        !has_before(&shards, shard) && shards.get(shard).is_some_and(|this| !this.waiting.is_empty())
    }

    /// Whether the shard has been read to its end.
    fn is_over(&self, shard: usize) -> bool {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.get(shard).is_none_or(|this| this.closed && this.waiting.is_empty())
    }
}

/// Whether a shard that this one continues has not been read to its end.
fn has_before(shards: &[Shard], shard: usize) -> bool {
    let mut before = shards.get(shard).and_then(|one| one.parent);
    while let Some(one) = before.and_then(|at| shards.get(at)) {
        if !one.waiting.is_empty() {
            return true;
        }
        before = one.parent;
    }
    false
}

/// An item of the table as the handlers get it.
fn item(json: &expression::Item) -> Item {
    json.iter().filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

fn attribute(value: &Value) -> Option<aws_sdk_dynamodb::types::AttributeValue> {
    use aws_sdk_dynamodb::types::AttributeValue as A;
    let (kind, value) = value.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "S" => A::S(value.as_str()?.to_owned()),
        "N" => A::N(value.as_str()?.to_owned()),
        "BOOL" => A::Bool(value.as_bool()?),
        "NULL" => A::Null(true),
        "M" => A::M(item(value.as_object()?)),
        "L" => A::L(value.as_array()?.iter().filter_map(attribute).collect()),
        _ => return None,
    })
}
