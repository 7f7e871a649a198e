//! Whose turn it is to append to a log that many want to append to.
//!
//! A turn keeps nothing right: the log itself is the lock (`log.rs`). It keeps things fair. Who reads more before it
//! appends, a ban, is overtaken again and again by those who read less and never pause. So whoever was overtaken some
//! times puts an item behind the last entry. Those who ask where the log ends, to append, find it in the entry's stead,
//! at the same cost, and wait: until it is taken away, or for [`HELD_MILLIS`] if its owner has died.
//!
//! The item: `r` a nonce of its owner, `e` when it ends, `ttl`.

use domain::{Error, Number, Timestamp, ids::Nonce};

use crate::{
    Item, Store, Tail, Write,
    item::{self, find_number, get_text, number as digits},
    keys, log, schema,
    write::Written,
};

/// For how long others wait for one, at most.
pub const HELD_MILLIS: i64 = 2_000;
/// How far apart clocks are believed to be: what ends later than that was written by a clock that is wrong.
const SKEW_MILLIS: i64 = 2_000;
/// After how many seconds DynamoDB may remove what its owner left.
const KEPT_SECONDS: i64 = 3_600;

/// A turn that was taken. It is to be given back.
#[derive(Debug)]
pub struct Turn {
    number: Number,
    nonce: Nonce,
    ends: Timestamp,
}

impl Turn {
    /// Whether others wait for it no longer.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends
    }
}

/// Where a log ends, for who wants to append to it.
#[derive(Debug)]
pub enum End {
    /// Its tail; none if there is no such log.
    Free(Option<Tail>),
    /// It is somebody else's turn.
    Taken,
}

impl Store {
    /// The end of the log, as of now (a consistent read), unless it is somebody else's turn.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn end(&self, number: Number, now: Timestamp) -> Result<End, Error> {
        let query = self.log(number).key_condition_expression("pk = :pk");
        let items = self.read_log(query.limit(1).consistent_read(true).scan_index_forward(false)).await?.0;
        let Some(last) = items.first() else { return Ok(End::Free(None)) };
        if get_text(last, schema::SORT_KEY)? != keys::TURN {
            return Ok(End::Free(Some(Tail::from(&log::from_item(last)?))));
        }
        if is_on(last, now) {
            return Ok(End::Taken);
        }
        // Its owner has died: who finds that pays for reading further, and need not a second time.
        if let Some(nonce) = find_number(last, "r") {
            self.remove_turn(number, Nonce::new(nonce)).await;
        }
        self.tail(number).await.map(End::Free)
    }

    /// Asks all others to wait; none if they wait for somebody else.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no randomness.
    pub async fn take_turn(&self, number: Number, now: Timestamp) -> Result<Option<Turn>, Error> {
        let turn = Turn { number, nonce: Self::nonce()?, ends: now.plus_millis(HELD_MILLIS) };
        let mut item = item::keyed(&keys::turn(number));
        item.insert("r".into(), digits(turn.nonce.bits()));
        item.insert("e".into(), digits(turn.ends.millis()));
        item.insert(schema::TTL.into(), digits(now.plus_seconds(KEPT_SECONDS).seconds()));
        let write = Write::put(item)
            .when("attribute_not_exists(pk) OR e <= :now OR e > :far")
            .with(":now", digits(now.millis()))
            .with(":far", digits(latest(now).millis()));
        let Ok(Written::Refused(refused)) = self.write_one(write).await else {
            // It may have been written without an answer: then it is this caller's, and to be given back.
            return Ok(Some(turn));
        };
        // The SDK sends again what was not answered, and is refused by what it has written itself.
        let standing = refused.into_iter().next().and_then(|(_, item)| item);
        let own = standing.is_some_and(|item| find_number(&item, "r") == Some(turn.nonce.bits()));
        Ok(own.then_some(turn))
    }

    /// Gives a turn back. Where that fails, it is over soon anyway.
    pub async fn give_back(&self, turn: Turn) {
        self.remove_turn(turn.number, turn.nonce).await;
    }

    async fn remove_turn(&self, number: Number, nonce: Nonce) {
        let write = Write::delete(keys::turn(number)).when("r = :r").with(":r", digits(nonce.bits()));
        let _refused_or_failed = self.write_one(write).await;
    }
}

/// Whether others wait for it.
fn is_on(item: &Item, now: Timestamp) -> bool {
    let ends = find_number(item, "e").map(Timestamp::from_millis);
    ends.is_some_and(|ends| now < ends && ends <= latest(now))
}

/// The latest end that a turn can have that was taken by now.
fn latest(now: Timestamp) -> Timestamp {
    now.plus_millis(HELD_MILLIS + SKEW_MILLIS)
}
