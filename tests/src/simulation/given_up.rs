//! What is lost when a chunk of a large audience, or a record of the stream, is given up: its shard, or everybody, may miss
//! it, until they resume (`docs/operations.md`).

use std::collections::BTreeSet;

use serde_json::Value;

/// Who listens on a socket.
#[derive(Debug, Clone, Copy)]
pub struct Listener<'a> {
    /// Whose it is.
    pub user: &'a str,
    /// It.
    pub socket: usize,
    /// When it was opened.
    pub opened: u64,
    /// What it speaks.
    pub dialect: &'a str,
}

/// A chunk of a large audience that was given up: whoever is in its shard may miss what it would have told.
#[derive(Debug, Clone)]
pub struct GivenUp {
    at: u64,
    number: u64,
    members: bool,
    stretch: (Option<String>, Option<String>),
    entries: Vec<(u64, u64)>,
}

impl GivenUp {
    /// The chunk that was given up then; none if it is none.
    #[must_use]
    pub fn of(at: u64, chunk: &Value) -> Option<Self> {
        let carried = chunk.get("carried")?.as_array()?.iter().filter_map(|one| one.get("entries"));
        let entries = carried.filter_map(|one| Some((one.get(0)?.as_u64()?, one.get(1)?.as_u64()?)));
        let shard = chunk.get("shard")?;
        let bound = |name: &str| shard.get("stretch")?.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            at,
            number: chunk.get("number")?.as_u64()?,
            members: shard.get("list")? == "members",
            stretch: (bound("from"), bound("to")),
            entries: entries.collect(),
        })
    }

    /// Whether a connection that was open then may have missed the entry.
    #[must_use]
    pub fn excuses(&self, number: u64, seq: u64, who: &Listener<'_>) -> bool {
        let connection = match who.dialect {
            // There the listener subscribes, which has an id of its own (`device.rs`).
            "channelstream" => format!("5a928b10-4258-11ea-9c07-{:012}", who.socket),
            _ => format!("c{:04}", who.socket),
        };
        let id = if self.members { who.user } else { &connection };
        let (from, to) = (self.stretch.0.as_deref(), self.stretch.1.as_deref());
        // Those who hear of every conversation are in the first shard of the subscriptions.
        let wide = !self.members && from.is_none() && who.dialect == "nkchat";
        self.number == number
            && self.at > who.opened
            && (wide || (from.is_none_or(|from| from <= id) && to.is_none_or(|to| id < to)))
            && self.entries.iter().any(|(from, to)| (*from..=*to).contains(&seq))
    }
}

/// Records of the stream that were given up: whoever was there may miss them.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    at: u64,
    entries: BTreeSet<(u64, u64)>,
}

impl DeadLetter {
    /// Those of the items with these keys; read marks, signals and sockets are owed to nobody.
    #[must_use]
    pub fn of(at: u64, keys: &[String]) -> Self {
        let entry = |key: &String| {
            let (number, seq) = key.strip_prefix("LOG#")?.split_once(' ')?;
            Some((number.parse().ok()?, seq.parse().ok()?))
        };
        Self { at, entries: keys.iter().filter_map(entry).collect() }
    }

    /// Whether the entry is among them.
    #[must_use]
    pub fn has(&self, number: u64, seq: u64) -> bool {
        self.entries.contains(&(number, seq))
    }

    /// Whether a connection that was open then may have missed the entry.
    #[must_use]
    pub fn excuses(&self, number: u64, seq: u64, who: &Listener<'_>) -> bool {
        self.at > who.opened && self.has(number, seq)
    }
}
