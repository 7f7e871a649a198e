//! The stream's trigger: calls the function with a batch until all of it is delivered, or given up.
//!
//! In most worlds it tries for ever. In some there are records that kill whoever is brought them, or the function cannot be
//! called for hours; there it does as the template says: a batch that fails as a whole is cut in two, which costs no attempt,
//! and what has failed as often as it may, or is too old, is a dead letter, and the stream goes on. In fair weather nothing
//! is given up.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use handlers::invocation::{StreamRecord, string_attribute};

use super::{
    cloud::Cloud,
    dice::Dice,
    history::{Fact, History},
    time,
    weather::Weather,
};

/// How often a batch is tried again (`MaximumRetryAttempts` in the template).
const RETRIES: u32 = 10;
/// How old a record may be that is still brought, in milliseconds (`MaximumRecordAgeInSeconds`).
const MAXIMUM_AGE: u64 = 3_600_000;

/// Why records are given up: they were too old.
pub const AGE: &str = "age";
/// Why records are given up: they were tried too often.
const ATTEMPTS: &str = "attempts";

/// The trigger.
#[derive(Debug)]
pub struct Trigger {
    /// Records that kill whoever is brought them.
    deadly: Mutex<BTreeSet<String>>,
    /// When each record was written, where that matters.
    written: Mutex<BTreeMap<String, u64>>,
    dice: Dice,
    /// Says which records are deadly.
    doom: Dice,
    weather: Weather,
    history: History,
}

/// What came of a call: all of it is delivered, or what stands before this index is.
enum Came {
    Delivered,
    FailedFrom(usize),
}

impl Trigger {
    /// The trigger of a stream, which has the same luck.
    #[must_use]
    pub fn new(seed: u64, dice: Dice, weather: Weather, history: History) -> Self {
        let doom = Dice::new(seed, "dead letters");
        Self { deadly: Mutex::default(), written: Mutex::default(), dice, doom, weather, history }
    }

    /// Notes when a new record was written, and says whether it is deadly.
    pub fn meet(&self, record: &StreamRecord, at: u64) {
        if self.weather.dooms() {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.insert(record.sequence_number.clone(), at);
        }
        if self.weather.strikes(&self.doom, self.weather.rates().doomed) {
            let mut deadly = self.deadly.lock().unwrap_or_else(PoisonError::into_inner);
            deadly.insert(record.sequence_number.clone());
        }
    }

    /// Whether somebody who is brought these dies of it.
    fn kills(&self, batch: &[StreamRecord]) -> bool {
        let deadly = self.deadly.lock().unwrap_or_else(PoisonError::into_inner);
        !self.weather.is_fair() && batch.iter().any(|record| deadly.contains(&record.sequence_number))
    }

    /// Returns when every record of the batch is delivered or given up.
    pub async fn deliver(&self, batch: Vec<StreamRecord>, cloud: &Cloud) {
        if !self.weather.dooms() {
            return self.insist(batch, cloud).await;
        }
        let mut parts = VecDeque::from([(batch, 0)]);
        while let Some((mut part, retries)) = parts.pop_front() {
            time::pass(self.weather.until_called()).await;
            self.drop_the_old(&mut part);
            if part.is_empty() {
                continue;
            }
            match self.call(&part, cloud).await {
                Came::Delivered if self.weather.strikes(&self.dice, self.weather.rates().again) => {
                    parts.push_front((part, retries));
                }
                Came::Delivered => continue,
                Came::FailedFrom(index) if index > 0 => parts.push_front((part.split_off(index), 0)),
                Came::FailedFrom(_) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.push_front((second, retries));
                    parts.push_front((part, retries));
                }
                Came::FailedFrom(_) if retries >= RETRIES && !self.weather.is_fair() => {
                    self.give_up(&part, ATTEMPTS);
                    continue;
                }
                Came::FailedFrom(_) => parts.push_front((part, retries + 1)),
            }
            self.pause().await;
        }
    }

    /// Gives up the records that are too old: the first ones.
    fn drop_the_old(&self, part: &mut Vec<StreamRecord>) {
        if self.weather.is_fair() {
            return;
        }
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |record: &StreamRecord| {
            written.get(&record.sequence_number).map_or(0, |at| time::millis().saturating_sub(*at))
        };
        let young = part.iter().position(|record| age(record) <= MAXIMUM_AGE).unwrap_or(part.len());
        let old: Vec<_> = part.drain(..young).collect();
        if !old.is_empty() {
            self.give_up(&old, AGE);
        }
    }

    fn give_up(&self, part: &[StreamRecord], why: &'static str) {
        self.history.note(Fact::DeadLetter { keys: part.iter().map(key).collect(), why });
    }

    /// One call, with the records in the stream's order or in another that keeps each item's own.
    async fn call(&self, part: &[StreamRecord], cloud: &Cloud) -> Came {
        let mut brought = part.to_vec();
        if self.weather.strikes(&self.dice, self.weather.rates().shuffled) {
            self.shuffle(&mut brought);
        }
        let deadly = self.kills(part).then(|| self.doom.between(1, 30));
        let Some(failed) = cloud.deliver(brought, deadly).await else { return Came::FailedFrom(0) };
        let lowest = part.iter().position(|record| failed.contains(&record.sequence_number));
        lowest.map_or(Came::Delivered, Came::FailedFrom)
    }

    /// Delivers a batch until all of it is, however often it fails.
    async fn insist(&self, mut batch: Vec<StreamRecord>, cloud: &Cloud) {
        while !batch.is_empty() {
            if self.weather.strikes(&self.dice, self.weather.rates().shuffled) {
                self.shuffle(&mut batch);
            }
            let failed = cloud.deliver(batch.clone(), None).await;
            let lowest = match &failed {
                None => Some(0),
                Some(failed) => batch.iter().position(|record| failed.contains(&record.sequence_number)),
            };
            match lowest {
                Some(index) => batch = batch.split_off(index),
                None if self.weather.strikes(&self.dice, self.weather.rates().again) => {}
                None => return,
            }
            self.pause().await;
        }
    }

    /// What is to come again does so soon, or after more than five minutes.
    async fn pause(&self) {
        let stalled = self.weather.strikes(&self.dice, self.weather.rates().stalled);
        time::pass(if stalled { 310_000 } else { self.dice.between(10, 200) }).await;
    }

    /// Another order, each item's own kept: the stream promises no more.
    fn shuffle(&self, batch: &mut Vec<StreamRecord>) {
        let mut by_item: BTreeMap<String, VecDeque<StreamRecord>> = BTreeMap::new();
        let mut order = Vec::with_capacity(batch.len());
        for record in batch.drain(..) {
            let key = key(&record);
            order.push(key.clone());
            by_item.entry(key).or_default().push_back(record);
        }
        self.dice.shuffle(&mut order);
        batch.extend(order.iter().filter_map(|key| by_item.get_mut(key)?.pop_front()));
    }
}

/// The item that a record is of.
fn key(record: &StreamRecord) -> String {
    let text = |name| string_attribute(&record.keys, name).unwrap_or_default();
    format!("{} {}", text("pk"), text("sk"))
}
