//! The stream of a world's table and its trigger: shards that split, batches cut anywhere, delivered at least once.
//!
//! As in AWS: the records of one partition key stand in one shard, in order; a shard's child is read when the
//! shard has been read to its end; a batch that fails in part comes again from its lowest failed record on; and
//! nothing behind a batch is delivered before the batch is. What stands between the stream and the function, a
//! queue for one, would be another [`Shard`] with its own batches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use handlers::invocation::{Item, StreamChange, StreamRecord};
use serde_json::{Value, json};
use switchboard::dynamodb::TABLE;

use super::{cloud::Cloud, dice::Dice, table::Table, time, weather::Weather};

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
    iterator: Mutex<Option<String>>,
    /// The table's writes that were taken.
    fetched: AtomicU64,
    /// What the log's entries were when they were written.
    inserted: Mutex<Vec<Value>>,
    busy: AtomicU64,
    dice: Dice,
    weather: Weather,
}

impl Stream {
    /// The table's stream, from its beginning.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn new(seed: u64, table: &Arc<Table>, weather: Weather) -> Result<Arc<Self>, String> {
        let streams = table.ask("ListStreams", &json!({"TableName": TABLE}))?;
        let arn = streams.pointer("/Streams/0/StreamArn").cloned().unwrap_or_default();
        let stream = table.ask("DescribeStream", &json!({"StreamArn": arn}))?;
        let shard = stream.pointer("/StreamDescription/Shards/0/ShardId").cloned().unwrap_or_default();
        let from = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = table.ask("GetShardIterator", &from)?;
        let iterator = iterator.get("ShardIterator").and_then(Value::as_str).map(str::to_owned);
        let dice = Dice::new(seed, "stream");
        let heads: Vec<usize> = (0..usize::try_from(dice.between(1, 3)).unwrap_or(1)).collect();
        Ok(Arc::new(Self {
            table: Arc::clone(table),
            shards: Mutex::new(heads.iter().map(|_| Shard::default()).collect()),
            heads: Mutex::new(heads),
            iterator: Mutex::new(iterator),
            fetched: AtomicU64::new(0),
            inserted: Mutex::default(),
            busy: AtomicU64::new(0),
            dice,
            weather,
        }))
    }

    /// The entries of all logs as they were written.
    #[must_use]
    pub fn inserted(&self) -> Vec<Value> {
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads and delivers for as long as it is polled.
    ///
    /// # Errors
    /// What the emulator says.
    pub async fn run(self: Arc<Self>, cloud: Arc<Cloud>) -> Result<(), String> {
        let mut readers = tokio::task::JoinSet::new();
        let mut read = 0;
        loop {
            self.fetch()?;
            let count = self.shards.lock().unwrap_or_else(PoisonError::into_inner).len();
            while read < count {
                readers.spawn(Arc::clone(&self).read(read, Arc::clone(&cloud)));
                read += 1;
            }
            time::pass(1 + self.dice.below(POLL)).await;
        }
    }

    /// Whether everything that was written was delivered.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn is_drained(&self) -> Result<bool, String> {
        let new = self.fetch()?;
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = shards.iter().any(|shard| !shard.waiting.is_empty());
        Ok(!new && !waiting && self.busy.load(Relaxed) == 0)
    }

    /// Takes what was written into the shards; says whether there was anything.
    fn fetch(&self) -> Result<bool, String> {
        let written = self.table.writes();
        if self.fetched.swap(written, Relaxed) == written {
            return Ok(false);
        }
        let mut iterator = self.iterator.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(from) = iterator.clone() else { return Err("the stream has ended".to_owned()) };
        let answer = self.table.ask("GetRecords", &json!({"ShardIterator": from, "Limit": 1_000}))?;
        *iterator = answer.get("NextShardIterator").and_then(Value::as_str).map(str::to_owned);
        let records = answer.get("Records").and_then(Value::as_array).cloned().unwrap_or_default();
        drop(iterator);
        for record in &records {
            self.take(record);
        }
        Ok(!records.is_empty())
    }

    /// Takes a record, if the trigger's filter lets it through.
    fn take(&self, record: &Value) {
        let text = |path: &str| record.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (key, event) = (text("/dynamodb/Keys/pk/S"), text("/eventName"));
        let change = match event {
            "INSERT" => StreamChange::Insert,
            "MODIFY" if !key.starts_with("LOG#") => StreamChange::Modify,
            _ => return,
        };
        if !["LOG#", "READ#", "SIGNAL#"].iter().any(|prefix| key.starts_with(prefix)) {
            return;
        }
        if let Some(image) = record.pointer("/dynamodb/NewImage").filter(|_| key.starts_with("LOG#")) {
            self.inserted.lock().unwrap_or_else(PoisonError::into_inner).push(image.clone());
        }
        let image = |name: &str| record.pointer(&format!("/dynamodb/{name}")).map(item);
        let record = StreamRecord {
            change,
            sequence_number: text("/dynamodb/SequenceNumber").to_owned(),
            keys: image("Keys").unwrap_or_default(),
            new_image: image("NewImage"),
            old_image: image("OldImage"),
        };
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
            time::pass(1 + self.dice.below(POLL)).await;
            let batch = {
                let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
                if has_before(&shards, shard) {
                    continue;
                }
                let Some(this) = shards.get_mut(shard) else { return };
                if this.waiting.is_empty() {
                    if this.closed {
                        return;
                    }
                    continue;
                }
                let size = usize::try_from(self.dice.between(1, BATCH)).unwrap_or(1).min(this.waiting.len());
                this.waiting.iter().take(size).cloned().collect::<Vec<_>>()
            };
            self.busy.fetch_add(1, Relaxed);
            let size = batch.len();
            self.deliver(batch, &cloud).await;
            let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(this) = shards.get_mut(shard) {
                this.waiting.drain(..size);
            }
            self.busy.fetch_sub(1, Relaxed);
        }
    }

    /// Delivers a batch until all of it is.
    async fn deliver(&self, mut batch: Vec<StreamRecord>, cloud: &Cloud) {
        while !batch.is_empty() {
            if self.weather.strikes(&self.dice, self.weather.rates().shuffled) {
                self.shuffle(&mut batch);
            }
            let failed = cloud.deliver(batch.clone()).await;
            let lowest = match &failed {
                None => Some(0),
                Some(failed) => batch.iter().position(|record| failed.contains(&record.sequence_number)),
            };
            match lowest {
                Some(index) => batch = batch.split_off(index),
                None if self.weather.strikes(&self.dice, self.weather.rates().again) => {}
                None => return,
            }
            time::pass(self.dice.between(10, 200)).await;
        }
    }

    /// Another order, each item's own kept: the stream promises no more.
    fn shuffle(&self, batch: &mut Vec<StreamRecord>) {
        let mut by_item: BTreeMap<String, VecDeque<StreamRecord>> = BTreeMap::new();
        let mut order = Vec::with_capacity(batch.len());
        for record in batch.drain(..) {
            let text = |name| handlers::invocation::string_attribute(&record.keys, name).unwrap_or_default();
            let key = format!("{} {}", text("pk"), text("sk"));
            order.push(key.clone());
            by_item.entry(key).or_default().push_back(record);
        }
        self.dice.shuffle(&mut order);
        batch.extend(order.iter().filter_map(|key| by_item.get_mut(key)?.pop_front()));
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

/// An item of the stream's JSON as the handlers get it.
fn item(json: &Value) -> Item {
    let attributes = json.as_object().into_iter().flatten();
    attributes.filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

fn attribute(value: &Value) -> Option<aws_sdk_dynamodb::types::AttributeValue> {
    use aws_sdk_dynamodb::types::AttributeValue as A;
    let (kind, value) = value.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "S" => A::S(value.as_str()?.to_owned()),
        "N" => A::N(value.as_str()?.to_owned()),
        "BOOL" => A::Bool(value.as_bool()?),
        "NULL" => A::Null(true),
        "M" => A::M(item(value)),
        "L" => A::L(value.as_array()?.iter().filter_map(attribute).collect()),
        _ => return None,
    })
}
