//! Signals: what is announced and not kept, such as typing. A signal is an item that the stream sees and the
//! time to live removes; it takes no number of a log.

use domain::{Dialect, Error, Number, Object, Timestamp, UserId, message::Audience};
use serde::{Deserialize, Serialize};

use crate::{
    Item, Store, Write,
    item::{self, find_number, get_json, json, number},
    keys, schema,
};

/// How long a signal stays in the table, in seconds: only until the stream has seen it.
const LIFETIME_SECONDS: i64 = 60;

/// Something that is announced to those who hear of a conversation, and not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A user types, or types no more.
    Typing {
        /// Who.
        user: UserId,
        /// Types, or no more.
        typing: bool,
        /// The dialect it was said in.
        dialect: Dialect,
        /// When.
        at: Timestamp,
    },
    /// Something that only the dialect it was said in has words for, such as who comes and goes.
    Told {
        /// The dialect.
        dialect: Dialect,
        /// Tells it from others.
        id: String,
        /// Who is to hear it.
        audience: Audience,
        /// It, in the dialect's own words.
        event: Object,
        /// When.
        at: Timestamp,
    },
}

/// What is announced of a user, whoever is in whichever conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// There is a new user.
    Created(UserId),
    /// A user is gone.
    Deleted(UserId),
}

/// What is announced of a user, and since when it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// What.
    pub news: News,
    /// Since when: whoever connected later is of the user's next life.
    pub at: Timestamp,
}

impl Store {
    /// Announces a signal. One of the same kind and user that was not announced yet is replaced.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn signal(&self, life: Number, signal: &Signal, now: Timestamp) -> Result<(), Error> {
        let key = match signal {
            Signal::Typing { user, .. } => keys::signal(life, "typing", user.as_str()),
            Signal::Told { id, .. } => keys::signal(life, "told", id),
        };
        let mut item = item::keyed(&key);
        item.insert("x".into(), json(signal)?);
        item.insert(schema::TTL.into(), number(now.plus_seconds(LIFETIME_SECONDS).seconds()));
        self.write_one(Write::put(item)).await.map(|_| ())
    }
}

/// Announces a user, as part of the transaction that makes or removes it: so that who is made is always told of,
/// and nobody else.
pub(crate) fn announce(news: &News, now: Timestamp) -> Result<Write, Error> {
    let (News::Created(user) | News::Deleted(user)) = news;
    let mut item = item::keyed(&keys::user_news(user));
    item.insert("x".into(), json(news)?);
    item.insert("t".into(), number(now.millis()));
    item.insert(schema::TTL.into(), number(now.plus_seconds(LIFETIME_SECONDS).seconds()));
    Ok(Write::put(item))
}

pub(crate) fn news_from_item(item: &Item) -> Result<Announced, Error> {
    // One that was written before there was a time ends no connection.
    let at = Timestamp::from_millis(find_number(item, "t").unwrap_or_default());
    Ok(Announced { news: get_json(item, "x")?, at })
}

pub(crate) fn from_item(item: &Item) -> Result<Signal, Error> {
    get_json(item, "x")
}
