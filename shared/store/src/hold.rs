//! Subscriptions that begin at a known entry: held while what was missed is sent, then let go.
//!
//! A subscription of this kind has in its item `n` the log's number, and either `f`, the entry after which the
//! fan-out sends, or while it is held `g` (whose hold it is), `h` (until when, milliseconds) and `m` (the last
//! entry that the fan-out left to the holder). The holder sends; the fan-out, which runs elsewhere, leaves
//! entries to it. Each of the two decides by a conditional write of this one item, so every entry is sent by
//! exactly one of them, and in order: an entry was either left to the holder before the hold was let go, and
//! then letting go is refused until it has been sent, or it comes after, and then the fan-out sends it.
//!
//! A holder may die, and what was left to it with it. So the connection's own item says, in `o`, until when it is owed
//! something: whoever answers its client's next message after that looks whether the holder is still there.

use domain::{Error, Number, Place, Seq, Timestamp, Topic};

use crate::{
    Item, Store, Write,
    connection::{self, Connection},
    item::{self, find_number, number},
    keys, schema,
    subscription::{self, Subscription},
    write::Written,
};

/// What of its topic's log a subscription is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Everything.
    All,
    /// What comes after this place of this log, and nothing of another log of the same id.
    After(Place),
    /// Nothing: somebody is sending what was missed.
    Held(Hold),
}

/// A subscription that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    /// The log.
    pub number: Number,
    /// Tells this hold from another of the same subscription.
    pub id: u64,
    /// When it should long be over: whoever holds it has died.
    pub until: Timestamp,
}

/// What became of letting go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The fan-out sends from now on.
    Done,
    /// The fan-out has left more to the holder: send it, and try again.
    Missed,
    /// The subscription is gone, or somebody else holds it.
    Lost,
}

impl Store {
    /// Subscribes a connection to a topic and holds the subscription: what is written to the log `life` from now on is
    /// left to the holder. One that there is already is left alone: what it is still owed is known to nobody. Then it
    /// says how that one stands.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn hold(
        &self,
        connection: &Connection,
        topic: &Topic,
        detail: Option<&str>,
        life: Number,
        times: (Timestamp, Timestamp),
    ) -> Result<Result<Hold, Flow>, Error> {
        self.put_hold(connection, topic, detail, life, times, false).await
    }

    /// The same, and what there is already is taken over: by who sends all that it may be owed.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn take_over(
        &self,
        connection: &Connection,
        topic: &Topic,
        detail: Option<&str>,
        life: Number,
        times: (Timestamp, Timestamp),
    ) -> Result<Hold, Error> {
        let held = self.put_hold(connection, topic, detail, life, times, true).await?;
        held.map_err(|_flow| Error::Internal("a write without a condition was refused".into()))
    }

    async fn put_hold(
        &self,
        connection: &Connection,
        topic: &Topic,
        detail: Option<&str>,
        life: Number,
        (now, until): (Timestamp, Timestamp),
        over: bool,
    ) -> Result<Result<Hold, Flow>, Error> {
        let hold = Hold { number: life, id: Self::nonce()?.bits(), until };
        let topic = topic.name();
        let mut by_connection = item::keyed(&keys::connection_topic(&connection.id, &topic));
        let mut by_topic = subscription::to_item(connection, &topic, detail);
        by_topic.insert("n".into(), number(life));
        by_topic.insert("g".into(), number(hold.id));
        by_topic.insert("h".into(), number(until.millis()));
        for item in [&mut by_connection, &mut by_topic] {
            item.insert(schema::TTL.into(), connection::ttl(now));
        }
        // First the one by which it is found when the connection ends.
        self.write_one(Write::put(by_connection)).await?;
        let mut put = Write::put(by_topic);
        if !over {
            // Of another life of the log nothing comes any more.
            put = put
                .when("attribute_not_exists(pk) OR attribute_not_exists(n) OR n <> :n")
                .with(":n", number(life));
        }
        let Written::Refused(refused) = self.write_one(put).await? else { return Ok(Ok(hold)) };
        let standing = refused.into_iter().next().and_then(|(_, standing)| standing);
        let flow = flow(&standing.ok_or(Error::Busy)?)?;
        // The SDK asked again for what had been done: this is its own.
        Ok(if matches!(flow, Flow::Held(own) if own.id == hold.id) { Ok(hold) } else { Err(flow) })
    }

    /// Leaves the entries up to `seq` to the holder, and notes that the connection is owed them. Gives back how the subscription stands instead if it is not
    /// held so any more; none if it is gone.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn leave_to_holder(
        &self,
        topic: &Topic,
        connection: &str,
        hold: Hold,
        seq: Seq,
    ) -> Result<Option<Flow>, Error> {
        // First: should this function die here, nothing is owed, and looking costs a little.
        let owe = Write::update(keys::connection(connection), "SET o = :o")
            .when("attribute_exists(pk) AND (attribute_not_exists(o) OR o < :o)")
            .with(":o", number(hold.until.millis()));
        self.write_one(owe).await?;
        let update = Write::update(keys::subscription(&topic.name(), connection), "SET m = :m")
            .when("g = :g AND (attribute_not_exists(m) OR m < :m)")
            .with(":g", number(hold.id))
            .with(":m", number(seq));
        match self.write_one(update).await? {
            Written::Done => Ok(Some(Flow::Held(hold))),
            Written::Refused(refused) => {
                let standing = refused.into_iter().next().and_then(|(_, standing)| standing);
                standing.as_ref().map(flow).transpose()
            }
        }
    }

    /// Whether somebody who held a subscription of this connection, which was owed something until now, has died. If
    /// not, it is owed nothing any more.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn is_abandoned(&self, connection: &str, now: Timestamp) -> Result<bool, Error> {
        let partition = keys::connection_partition(connection);
        for item in self.query_all(partition, keys::CONNECTION_TOPIC, true).await? {
            let Some(topic) = item::get_text(&item, schema::SORT_KEY)?.strip_prefix(keys::CONNECTION_TOPIC)
            else {
                continue;
            };
            let found = self.get(&keys::subscription(topic, connection), true).await?;
            if let Some(Flow::Held(hold)) = found.as_ref().map(flow).transpose()?
                && hold.until <= now
            {
                return Ok(true);
            }
        }
        let settle = Write::update(keys::connection(connection), "REMOVE o")
            .when("o <= :now")
            .with(":now", number(now.millis()));
        self.write_one(settle).await?;
        Ok(false)
    }

    /// Lets the subscription go: everything up to `sent` was sent, the fan-out sends what comes after.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn release(
        &self,
        topic: &Topic,
        connection: &str,
        hold: Hold,
        sent: Seq,
    ) -> Result<Release, Error> {
        let key = keys::subscription(&topic.name(), connection);
        let update = Write::update(key, "SET f = :f REMOVE g, h, m")
            .when("g = :g AND (attribute_not_exists(m) OR m <= :f)")
            .with(":g", number(hold.id))
            .with(":f", number(sent));
        let Written::Refused(refused) = self.write_one(update).await? else { return Ok(Release::Done) };
        let standing = refused.into_iter().next().and_then(|(_, standing)| standing);
        let own = standing.is_some_and(|item| find_number(&item, "g") == Some(hold.id));
        Ok(if own { Release::Missed } else { Release::Lost })
    }

    /// Ends a subscription that is as it was read; one that was renewed since is left alone.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn end_subscription(&self, subscription: &Subscription) -> Result<(), Error> {
        let Flow::After(place) = subscription.flow else { return Ok(()) };
        let (topic, id) = (&subscription.topic, &subscription.connection.id);
        let delete = Write::delete(keys::subscription(topic, id))
            .when("n = :n AND f = :f")
            .with(":n", number(place.number))
            .with(":f", number(place.seq));
        if let Written::Done = self.write_one(delete).await? {
            self.write_one(Write::delete(keys::connection_topic(id, topic))).await?;
        }
        Ok(())
    }
}

/// How the subscription of an item flows.
pub(crate) fn flow(item: &Item) -> Result<Flow, Error> {
    let Some(life) = find_number(item, "n").map(Number) else { return Ok(Flow::All) };
    if let Some(seq) = find_number(item, "f").map(Seq) {
        return Ok(Flow::After(Place { number: life, seq }));
    }
    let until = Timestamp::from_millis(item::get_number(item, "h")?);
    Ok(Flow::Held(Hold { number: life, id: item::get_number(item, "g")?, until }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item_of(attributes: &[(&str, u64)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), number(value))).collect()
    }

    #[test]
    fn an_item_says_how_its_subscription_flows() {
        assert_eq!(flow(&item_of(&[])).unwrap(), Flow::All);
        let place = Place { number: Number(3), seq: Seq(7) };
        assert_eq!(flow(&item_of(&[("n", 3), ("f", 7)])).unwrap(), Flow::After(place));
        let hold = Hold { number: Number(3), id: 9, until: Timestamp::from_millis(5) };
        assert_eq!(flow(&item_of(&[("n", 3), ("g", 9), ("h", 5), ("m", 8)])).unwrap(), Flow::Held(hold));
        assert!(flow(&item_of(&[("n", 3)])).is_err());
    }
}
