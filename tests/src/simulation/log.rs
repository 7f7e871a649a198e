//! The logs of a world as they stand in the table: read from the raw items, by the attributes that the key design
//! documents, and by no code of the program.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{history, table, time};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When it was planned, in the world's milliseconds: not later than it was committed.
    pub at: u64,
    /// When it was committed.
    pub committed: u64,
    /// Who did it; none: the application's server.
    pub actor: Option<String>,
    /// Channelstream's entries are the application's server's, whoever is said to have written them.
    pub by_server: bool,
    /// What happened.
    pub event: Event,
}

/// Whom a message is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Who wrote it.
    pub author: String,
    /// For these and the author only; empty: for all.
    pub only: Vec<String>,
    /// Not for these.
    pub except: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message.
    Message {
        /// Its id.
        id: String,
        /// Its text when it was written.
        text: String,
        /// Whom it is for.
        audience: Audience,
    },
    /// Something about a message: `message_edited`, `message_recalled`, …
    About {
        /// What.
        what: String,
        /// The message's entry.
        seq: u64,
        /// Whom it is for.
        audience: Audience,
    },
    /// Own copies were deleted.
    CopiesDeleted {
        /// Whose.
        user: String,
        /// Of these entries, from and to.
        ranges: Vec<(u64, u64)>,
    },
    /// The conversation began with these members, the first entry's actor its owner.
    Created(Vec<String>),
    /// Settings changed: the visibility, if it did; and whether the channels dialect has a word for it.
    Updated(Option<String>, bool),
    /// The conversation ended.
    Deleted,
    /// These became members.
    Added(Vec<String>, String),
    /// These are members no more; how.
    Removed(Vec<String>, String),
    /// A member's role changed.
    Role(String, String),
    /// A user was banned.
    Banned(String),
    /// A user is banned no more.
    Unbanned(String),
    /// A notice in a log that is no conversation's.
    Notice {
        /// What is told.
        what: String,
        /// Of which room.
        room: String,
    },
}

/// One conversation's log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The entries, by number.
    pub entries: BTreeMap<u64, Entry>,
    /// What each message said, by its number: since which entry, and what.
    pub texts: BTreeMap<u64, Vec<(u64, String)>>,
}

/// A fault of the logs themselves, in words.
pub type Fault = String;

/// All logs, by the conversation's number, from the entries as they were written and what became of them.
///
/// # Errors
/// Names the item that is no entry, or the message that was not changed by the entries that say so.
pub fn read(
    inserted: &[Value],
    rewritten: &[Value],
    commits: &BTreeMap<table::Place, u64>,
) -> Result<BTreeMap<u64, Log>, Fault> {
    let mut logs: BTreeMap<u64, Log> = BTreeMap::new();
    for item in inserted {
        let (number, entry) = entry(item, commits).ok_or_else(|| format!("no entry: {item}"))?;
        let log = logs.entry(number).or_default();
        if let Event::Message { text, .. } = &entry.event {
            log.texts.insert(entry.seq, vec![(entry.seq, text.clone())]);
        }
        log.entries.insert(entry.seq, entry);
    }
    let mut edits: BTreeMap<table::Place, Vec<&str>> = BTreeMap::new();
    for item in rewritten {
        let place = table::place(item).ok_or_else(|| format!("no entry: {item}"))?;
        let texts = logs.get(&place.0).and_then(|log| log.texts.get(&place.1));
        let (Some(first), Some(now)) = (texts.and_then(|texts| texts.first()), text(item, "b")) else {
            continue;
        };
        let before = edits.get(&place).and_then(|all| all.last()).copied().unwrap_or(&first.1);
        if now != before {
            edits.entry(place).or_default().push(now);
        }
    }
    for (number, log) in &mut logs {
        log.take_edits(*number, &mut edits)?;
    }
    Ok(logs)
}

impl Log {
    /// Every edit is an entry, and in the order of the entries.
    fn take_edits(
        &mut self,
        number: u64,
        edits: &mut BTreeMap<table::Place, Vec<&str>>,
    ) -> Result<(), Fault> {
        for (message, texts) in &mut self.texts {
            let said = self.entries.values().filter(|entry| {
                matches!(&entry.event, Event::About { what, seq, .. } if what == "message_edited" && seq == message)
            });
            let said: Vec<u64> = said.map(|entry| entry.seq).collect();
            let done = edits.remove(&(number, *message)).unwrap_or_default();
            if said.len() != done.len() {
                return Err(format!("the message {message} of {number} became {done:?} by {said:?}"));
            }
            texts.extend(said.into_iter().zip(done.into_iter().map(str::to_owned)));
        }
        Ok(())
    }
}

fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    let value = item.get(name)?;
    value.get("S").or_else(|| value.get("N"))?.as_str()
}

fn entry(item: &Value, commits: &BTreeMap<table::Place, u64>) -> Option<(u64, Entry)> {
    let (number, seq) = table::place(item)?;
    let at = time::since_beginning(text(item, "t")?.parse().ok()?);
    let actor = text(item, "u").map(str::to_owned);
    let event = if text(item, "k") == Some("m") {
        let (whom, nonce) = (text(item, "a").unwrap_or("{}"), text(item, "r")?.parse().ok()?);
        let audience = audience(&serde_json::from_str(whom).ok()?, actor.clone()?);
        let id = text(item, "i").map_or_else(|| minted(number, seq, nonce), str::to_owned);
        Event::Message { id, text: text(item, "b").unwrap_or_default().to_owned(), audience }
    } else {
        event(&serde_json::from_str(text(item, "x")?).ok()?)?
    };
    let by_server = text(item, "d") == Some("s") || actor.is_none();
    let committed = commits.get(&(number, seq)).copied().unwrap_or(at);
    Some((number, Entry { seq, at, committed, actor, by_server, event }))
}

/// The id that a message has whose client chose none: see [`history::place`].
fn minted(number: u64, seq: u64, nonce: u64) -> String {
    let bits = (u128::from(number) << 82) | (u128::from(seq) << 42) | u128::from(nonce);
    let (high, middle, low) = (bits >> 74, (bits >> 62) & 0xfff, bits & ((1 << 62) - 1));
    let uuid = (high << 80) | (8 << 76) | (middle << 64) | (0b10 << 62) | low;
    let digits = format!("{uuid:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    let id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
    debug_assert_eq!(history::place(&id), Some((number, seq)), "the id names its place");
    id
}

fn names(of: Option<&Value>) -> Vec<String> {
    let names = of.and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn audience(whom: &Value, author: String) -> Audience {
    Audience { author, only: names(whom.get("o")), except: names(whom.get("x")) }
}

fn event(event: &Value) -> Option<Event> {
    if event == "conversation_deleted" {
        return Some(Event::Deleted);
    }
    let (kind, body) = event.as_object()?.iter().next()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let members = || names(body.get("members"));
    let about = |reference: &Value| {
        let whom = reference.get("a").cloned().unwrap_or_default();
        let author = reference.get("u")?.as_str()?.to_owned();
        let audience = audience(&whom, author);
        Some(Event::About { what: kind.clone(), seq: reference.get("s")?.as_u64()?, audience })
    };
    Some(match kind.as_str() {
        "message_edited" | "message_recalled" | "message_pinned" | "message_unpinned" => about(body)?,
        "reaction_added" | "reaction_removed" => about(body.get("message")?)?,
        "copies_deleted" => {
            Event::CopiesDeleted { user: text("user")?, ranges: ranges(body.get("messages")?) }
        }
        "conversation_created" => Event::Created(members()),
        "conversation_updated" => {
            let told = ["title", "description", "visibility"].iter().any(|name| body.get(name).is_some());
            Event::Updated(text("visibility"), told)
        }
        "members_added" => Event::Added(members(), text("how")?),
        "members_removed" => Event::Removed(members(), text("how")?),
        "role_changed" => Event::Role(text("user")?, text("role")?),
        "banned" => Event::Banned(text("user")?),
        "unbanned" => Event::Unbanned(text("user")?),
        "notice" => {
            let (what, about) = body.as_object()?.iter().next()?;
            Event::Notice { what: what.clone(), room: about.get("conversation")?.as_str()?.to_owned() }
        }
        _ => return None,
    })
}

/// First and last entries: `1-5,7,9-12`.
fn ranges(of: &Value) -> Vec<(u64, u64)> {
    let parts = of.as_str().unwrap_or_default().split(',');
    let pair = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    parts.filter_map(pair).collect()
}
