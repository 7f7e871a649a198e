//! Messages: found by id, and put back whole with the entry that changed them.

use domain::{Entry, Error, Event, Message, MessageId, Number, Place, Seq};

use crate::{
    Store, Write,
    item::{self, get_number, number},
    keys, log,
};

impl Store {
    /// Where the message, or whatever else is shown as one, stands; none if there is no such thing. A minted id
    /// says it itself, if what stands there bears the same random bits; one that a client chose has an item
    /// that says it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn locate(&self, id: &MessageId) -> Result<Option<Place>, Error> {
        if let Some((place, nonce)) = id.place() {
            // The cheap read may not have heard of a young entry.
            for consistent in [false, true] {
                if let Some(found) = self.get(&keys::entry(place), consistent).await? {
                    if log::from_item(&found)?.nonce == nonce {
                        return Ok(Some(place));
                    }
                    break;
                }
            }
        }
        self.locate_chosen(id).await
    }

    async fn locate_chosen(&self, id: &MessageId) -> Result<Option<Place>, Error> {
        let Some(found) = self.get(&keys::chosen_message(id), true).await? else { return Ok(None) };
        Ok(Some(Place { number: Number(get_number(&found, "n")?), seq: Seq(get_number(&found, "s")?) }))
    }

    /// The message with its entry; none if there is no such message.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn message(&self, id: &MessageId, consistent: bool) -> Result<Option<(Entry, Message)>, Error> {
        if let Some((place, nonce)) = id.place()
            && let Some(found) = self.message_at(place, consistent).await?
            && found.0.nonce == nonce
            && found.1.id == *id
        {
            return Ok(Some(found));
        }
        // A client may have chosen an id that looks minted.
        match self.locate_chosen(id).await? {
            Some(place) => self.message_at(place, consistent).await,
            None => Ok(None),
        }
    }

    /// The message at a place; none if no message stands there.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn message_at(
        &self,
        place: Place,
        consistent: bool,
    ) -> Result<Option<(Entry, Message)>, Error> {
        let Some(found) = self.get(&keys::entry(place), consistent).await? else { return Ok(None) };
        let entry = log::from_item(&found)?;
        Ok(match &entry.event {
            Event::MessageCreated(message) => {
                let message = Message::clone(message);
                Some((entry, message))
            }
            _ => None,
        })
    }
}

/// Puts a message back in its new state, with the entry it came with. Only in one transaction with the entry
/// that changes it: that is what makes it safe to put it whole.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn put(entry: &Entry, message: Message) -> Result<Write, Error> {
    let changed = Entry { event: Event::MessageCreated(Box::new(message)), ..entry.clone() };
    Ok(Write::put(log::to_item(&changed)?).when("attribute_exists(pk)"))
}

/// Reserves an id that a client chose, in one transaction with the message's entry.
#[must_use]
pub fn reserve(id: &MessageId, place: Place) -> Write {
    name(id, place).when("attribute_not_exists(pk)")
}

/// Lets an id that a client chose name the message at this place from now on, in one transaction with its entry.
#[must_use]
pub fn name(id: &MessageId, place: Place) -> Write {
    let mut item = item::keyed(&keys::chosen_message(id));
    item.insert("n".into(), number(place.number));
    item.insert("s".into(), number(place.seq));
    Write::put(item)
}
