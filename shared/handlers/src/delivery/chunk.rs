//! What travels to whoever serves a shard of a large audience: which shard, and what has happened.
//!
//! Entries are named, not carried: a chunk is small however long the messages are, and whoever serves the shard
//! reads them once and encodes them once for all who are in it. Read marks and signals are carried whole.

use domain::{Entry, Error, Number, Place, Seq, UserId};
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use store::{change::Change, read_mark::ReadMark, signal::Signal, stretch::Stretch};

use super::topic::Parcel;
use crate::context::Context;

/// Bytes of a chunk: SNS takes 256 KB.
const BYTES: usize = 200_000;

/// Which list of ids a shard is a stretch of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Members, by user id.
    Members,
    /// Subscriptions, by connection id.
    Subscribers,
}

/// A shard of an audience.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// The list.
    pub list: List,
    /// Its place in the list.
    pub at: usize,
    /// The stretch of it.
    pub stretch: Stretch,
}

impl Shard {
    /// Its name in its division.
    #[must_use]
    pub fn name(&self) -> String {
        let list = match self.list {
            List::Members => 'm',
            List::Subscribers => 's',
        };
        format!("{list}{}", self.at)
    }

    /// Under which name it is noted that it was told of the conversation's end.
    #[must_use]
    pub fn end(&self) -> String {
        format!("{}.end", self.name())
    }
}

/// What has happened, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Entries, from the first to the last.
    Entries(Seq, Seq),
    /// A member has read further.
    Read {
        /// Who.
        user: UserId,
        /// How far.
        mark: ReadMark,
        /// How far before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<ReadMark>,
    },
    /// Something that is announced and not kept.
    Signal(Signal),
}

/// What one shard is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The conversation's number.
    pub number: Number,
    /// The division that the shard is of.
    pub generation: u64,
    /// The round.
    pub round: u64,
    /// Another chunk of this round follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The members of the conversation are so few that they are one shard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub few_members: bool,
    /// The shard.
    pub shard: Shard,
    /// What has happened, in order.
    pub carried: Vec<Carried>,
}

impl Chunk {
    /// Reads one.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text)
            .map_err(|error| Error::Internal(format!("a chunk: {}", store::of_json(&error))))
    }

    /// As a message of the topic: chunks of one shard keep their order, and one that is sent again because its batch
    /// of the stream was brought again has the same name.
    ///
    /// # Errors
    /// [`Error::Internal`] if it cannot be written as JSON.
    pub fn parcel(&self) -> Result<Parcel, Error> {
        let json = |error| Error::Internal(format!("JSON: {error}"));
        let body = serde_json::to_string(self).map_err(json)?;
        let group = format!("{}.{}.{}", self.number, self.generation, self.shard.name());
        let carried = serde_json::to_vec(&self.carried).map_err(json)?;
        let digest = Sha1::new().chain_update(&group).chain_update([0]).chain_update(carried).finalize();
        let once = digest.iter().fold(String::with_capacity(40), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        });
        Ok(Parcel { body, attributes: std::collections::BTreeMap::new(), group: Some((group, once)) })
    }

    /// Whether what the other one says can be told in one go with this, behind it.
    #[must_use]
    pub fn continues(&self, other: &Self) -> bool {
        (self.number, self.generation, &self.shard) == (other.number, other.generation, &other.shard)
    }
}

/// The changes of one conversation as they travel, in loads of which each fits into a message.
#[must_use]
pub fn loads(changes: &[&Change]) -> Vec<Vec<Carried>> {
    let mut loads: Vec<(usize, Vec<Carried>)> = vec![(0, Vec::new())];
    for change in changes {
        let Some((bytes, load)) = loads.last_mut() else { continue };
        let next = match change {
            Change::Entry(entry) => {
                if let Some(Carried::Entries(_, last)) = load.last_mut()
                    && last.next() == entry.seq()
                {
                    *last = entry.seq();
                    continue;
                }
                Carried::Entries(entry.seq(), entry.seq())
            }
            Change::Read { user, mark, before, .. } => {
                Carried::Read { user: user.clone(), mark: *mark, before: *before }
            }
            Change::Signal { signal, .. } => Carried::Signal(signal.clone()),
            // It is of no conversation.
            Change::Opened(_) | Change::User(_) => continue,
        };
        let size = serde_json::to_vec(&next).map_or(0, |json| json.len());
        if *bytes > 0 && *bytes + size > BYTES {
            loads.push((size, vec![next]));
        } else {
            *bytes += size;
            load.push(next);
        }
    }
    loads.into_iter().map(|(_, load)| load).collect()
}

/// What is carried, as changes: entries are read again, as they are now.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn unload(
    cx: &Context,
    number: Number,
    carried: impl IntoIterator<Item = Carried>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for one in carried {
        match one {
            Carried::Entries(from, to) => {
                let places: Vec<Place> = (from.0..=to.0).map(|seq| Place { number, seq: Seq(seq) }).collect();
                let entries: Vec<Entry> = cx.store.entries_at(&places, true).await?;
                changes.extend(entries.into_iter().map(|entry| Change::Entry(Box::new(entry))));
            }
            Carried::Read { user, mark, before } => {
                changes.push(Change::Read { number, user, mark, before });
            }
            Carried::Signal(signal) => changes.push(Change::Signal { number, signal }),
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(round: u64) -> Chunk {
        let stretch = Stretch { from: Some("bob".into()), to: None };
        Chunk {
            number: Number(7),
            generation: 3,
            round,
            more: false,
            few_members: true,
            shard: Shard { list: List::Members, at: 1, stretch },
            carried: vec![Carried::Entries(Seq(4), Seq(9))],
        }
    }

    #[test]
    fn a_chunk_that_is_sent_again_has_the_same_name_and_reads_as_it_was_written() {
        let (first, again) = (chunk(1).parcel().unwrap(), chunk(2).parcel().unwrap());
        assert_eq!(first.group, again.group, "the round is another, what is told is the same");
        assert_eq!(first.group.as_ref().unwrap().0, "7.3.m1");
        assert_eq!(Chunk::parse(&first.body).unwrap(), chunk(1));
        let other = Chunk { carried: vec![Carried::Entries(Seq(4), Seq(10))], ..chunk(1) };
        assert_ne!(other.parcel().unwrap().group, first.group);
        assert!(Chunk::parse("{}").is_err());
    }
}
