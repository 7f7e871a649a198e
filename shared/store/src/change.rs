//! A record of the table's stream, as what it means.

use domain::{Entry, Error, Number, UserId};

use crate::{
    Item,
    item::get_text,
    keys,
    listener::{self, Socket},
    log,
    read_mark::{self, ReadMark},
    schema,
    signal::{self, Announced, Signal},
};

/// Something that was written and is to be announced.
#[derive(Debug)]
pub enum Change {
    /// A new entry of a log.
    Entry(Box<Entry>),
    /// A member has read further.
    Read {
        /// The conversation's number.
        number: Number,
        /// The member.
        user: UserId,
        /// How far.
        mark: ReadMark,
        /// How far it was before, if it was marked before.
        before: Option<ReadMark>,
    },
    /// Something that is announced and not kept.
    Signal {
        /// The conversation's number.
        number: Number,
        /// What it is.
        signal: Signal,
    },
    /// A listener of Channelstream has opened a socket.
    Opened(Socket),
    /// A user came into being, or is gone.
    User(Announced),
}

/// What a new image means, given the one before it; none if it is nothing to be announced.
///
/// # Errors
/// [`Error::Internal`] if the image is not what its key says.
pub fn of(image: &Item, before: Option<&Item>) -> Result<Option<Change>, Error> {
    let pk = get_text(image, schema::PARTITION_KEY)?;
    if pk.starts_with(keys::LOG) {
        // A changed item under a log is a message in a new state; the entry that changed it tells of it. And
        // nobody is told whose turn it is.
        return if before.is_none() && get_text(image, schema::SORT_KEY)? != keys::TURN {
            log::from_item(image).map(|entry| Some(Change::Entry(Box::new(entry))))
        } else {
            Ok(None)
        };
    }
    if pk.starts_with(keys::SOCKET) {
        return listener::socket_from_item(image).map(|socket| Some(Change::Opened(socket)));
    }
    if pk.starts_with(keys::USER_NEWS) {
        return signal::news_from_item(image).map(|news| Some(Change::User(news)));
    }
    if let Some(number) = pk.strip_prefix(keys::SIGNAL).and_then(|digits| digits.parse().ok()) {
        return signal::from_item(image)
            .map(|signal| Some(Change::Signal { number: Number(number), signal }));
    }
    let Some(number) = pk.strip_prefix(keys::READ).and_then(|digits| digits.parse().ok()) else {
        return Ok(None);
    };
    Ok(Some(Change::Read {
        number: Number(number),
        user: UserId::trusted(get_text(image, schema::SORT_KEY)?),
        mark: read_mark::from_item(image)?,
        before: before.map(read_mark::from_item).transpose()?,
    }))
}
