//! What the writers asked for and were told, and what of it must be in the logs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// What became of a text that a writer sent; no two are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Nobody knows: there was no answer.
    Unknown,
    /// It was acknowledged, and this is its id, where the dialect says one.
    Acknowledged(Option<String>),
}

/// All that was sent, by room and text.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<(String, String), Fate>>);

/// A message of a log, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// What a room's log lacks or has too much of.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    pub(crate) acknowledged: usize,
    pub(crate) unanswered: usize,
    pub(crate) lost: Vec<String>,
    pub(crate) doubled: Vec<String>,
    pub(crate) strange: Vec<String>,
}

impl Ledger {
    /// A text is about to be sent.
    pub(crate) fn ask(&self, room: &str, text: &str) {
        let key = (room.to_owned(), text.to_owned());
        self.0.lock().unwrap().entry(key).or_insert(Fate::Unknown);
    }

    /// It was acknowledged.
    pub(crate) fn acknowledge(&self, room: &str, text: &str, id: Option<&str>) {
        let key = (room.to_owned(), text.to_owned());
        self.0.lock().unwrap().insert(key, Fate::Acknowledged(id.map(str::to_owned)));
    }

    /// How many were acknowledged in a room.
    pub(crate) fn acknowledged_in(&self, room: &str) -> usize {
        let all = self.0.lock().unwrap();
        let is =
            |(key, fate): &(&(String, String), &Fate)| key.0 == room && matches!(fate, Fate::Acknowledged(_));
        all.iter().filter(is).count()
    }

    /// Compares a room's log with what was sent.
    pub(crate) fn balance(&self, room: &str, log: &[Shown]) -> Balance {
        let mut balance = Balance::default();
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for shown in log {
            found.entry(&shown.text).or_default().push(&shown.id);
        }
        let ids: BTreeSet<&str> = log.iter().map(|shown| shown.id.as_str()).collect();
        if ids.len() != log.len() {
            balance.doubled.push(format!("{room}: an id stands in the log twice"));
        }
        let all = self.0.lock().unwrap();
        for ((_, text), fate) in all.iter().filter(|((of, _), _)| of == room) {
            let here = found.remove(text.as_str()).unwrap_or_default();
            match fate {
                Fate::Acknowledged(id) => {
                    balance.acknowledged += 1;
                    if here.is_empty() || id.as_deref().is_some_and(|id| !here.contains(&id)) {
                        balance.lost.push(format!("{room}: {text} {id:?}, there is {here:?}"));
                    }
                }
                Fate::Unknown => balance.unanswered += 1,
            }
            if here.len() > 1 {
                balance.doubled.push(format!("{room}: {text} {here:?}"));
            }
        }
        balance.strange.extend(found.into_keys().map(|text| format!("{room}: {text}, which nobody sent")));
        balance
    }
}
