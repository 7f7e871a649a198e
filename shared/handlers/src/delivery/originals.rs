//! Messages whose edits are to be told of, as they are now.
//!
//! They are read before it is known who may see them: so whoever was sent away before a message was given the content
//! that is told is known to be, and is not told.

use std::collections::BTreeMap;

use domain::{Entry, Error, Event, Message, Number, Place, Seq};

use crate::context::Context;

/// Messages, by the entries that wrote them.
#[derive(Debug, Default)]
pub struct Originals(BTreeMap<Seq, Entry>);

impl Originals {
    /// The messages that these entries of a log edited.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn of<'a>(
        cx: &Context,
        number: Number,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Self, Error> {
        let edited = entries.filter_map(|entry| match &entry.event {
            Event::MessageEdited(reference) => Some(Place { number, seq: reference.seq }),
            _ => None,
        });
        let mut places: Vec<Place> = edited.collect();
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return Ok(Self::default());
        }
        let found = cx.store.entries_at(&places, true).await?;
        Ok(Self(found.into_iter().map(|entry| (entry.seq(), entry)).collect()))
    }

    /// The entry that wrote the message which this one edited.
    #[must_use]
    pub fn origin(&self, entry: &Entry) -> Option<&Entry> {
        match &entry.event {
            Event::MessageEdited(reference) => self.0.get(&reference.seq),
            _ => None,
        }
    }

    /// The message that this entry edited, unless it was taken back.
    #[must_use]
    pub fn message(&self, entry: &Entry) -> Option<&Message> {
        match &self.origin(entry)?.event {
            Event::MessageCreated(message) if !message.state.recalled => Some(message),
            _ => None,
        }
    }
}
