//! Listeners: connections of Channelstream, which are made by REST before there is a socket, and live for a while
//! without one.

use domain::{Dialect, Error, Timestamp, Topic, UserId};

use crate::{
    Item, Store, Write, connection,
    item::{self, find_number, find_text, get_number, get_text, is_over, number, text},
    keys, schema,
    write::Written,
};

/// How long a listener lives without a socket and without a sign of life, in seconds: the original's.
pub const PATIENCE_SECONDS: i64 = 15;

/// A connection of Channelstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its id, a uuid.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// API Gateway's id of its socket, while it has one.
    pub socket: Option<String>,
    /// When that socket was opened, or the listener was made.
    pub since: Timestamp,
    /// Until when somebody polls for it.
    pub polls_until: Timestamp,
}

/// A socket that a listener opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// API Gateway's id.
    pub id: String,
    /// The listener.
    pub listener: String,
    /// Whose it is.
    pub user: UserId,
    /// When it was opened.
    pub at: Timestamp,
}

impl Store {
    /// Keeps a new listener, for as long as it may be without a socket.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_listener(&self, id: String, user: UserId, now: Timestamp) -> Result<Listener, Error> {
        let listener = Listener { id, user, socket: None, since: now, polls_until: Timestamp::default() };
        let item = to_item(&listener, patience(now));
        self.write_one(Write::put(item)).await?;
        Ok(listener)
    }

    /// The listener of that id; none if it has ended, or was silent for too long.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn listener(&self, id: &str, now: Timestamp) -> Result<Option<Listener>, Error> {
        Ok(self.listeners(&[id], now).await?.pop())
    }

    /// These listeners, in any order; those that have ended, or were silent for too long, are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn listeners(&self, ids: &[&str], now: Timestamp) -> Result<Vec<Listener>, Error> {
        let items = self.get_all(ids.iter().map(|id| keys::connection(id)).collect(), true).await?;
        let alive = items.iter().filter(|item| !is_over(item, now));
        alive
            .filter(|item| connection::dialect(item) == Some(Dialect::Channelstream))
            .map(from_item)
            .collect()
    }

    /// Puts a listener that has got a socket. Says whether it was there to get it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn bind_socket(&self, listener: &Listener, now: Timestamp) -> Result<bool, Error> {
        let bind = Write::put(to_item(listener, connection::ttl(now))).when("attribute_exists(pk)");
        Ok(matches!(self.write_one(bind).await?, Written::Done))
    }

    /// Announces that a listener has a socket: what waits for it is sent. After all else that the socket needs.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn announce_socket(&self, listener: &Listener, socket: &str) -> Result<(), Error> {
        let now = listener.since;
        let mut item = item::keyed(&keys::socket(socket));
        item.insert("c".into(), text(&listener.id));
        item.insert("u".into(), text(listener.user.as_str()));
        item.insert("t".into(), number(now.millis()));
        item.insert(schema::TTL.into(), connection::ttl(now));
        self.write_one(Write::put(item)).await.map(|_| ())
    }

    /// The socket of that id; none if no listener opened it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn socket(&self, id: &str) -> Result<Option<Socket>, Error> {
        self.get(&keys::socket(id), true).await?.as_ref().map(socket_from_item).transpose()
    }

    /// Forgets a socket.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn remove_socket(&self, id: &str) -> Result<(), Error> {
        self.write_one(Write::delete(keys::socket(id))).await.map(|_| ())
    }

    /// Notes that somebody polls for a listener until then. One without a socket lives on for its patience; one that has
    /// got another socket since it was read, or lost it, is left as it is.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn poll_listener(
        &self,
        listener: &Listener,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ttl = if listener.socket.is_some() { connection::ttl(now) } else { patience(now.max(until)) };
        let polled = Listener { polls_until: until, ..listener.clone() };
        let poll = Write::put(to_item(&polled, ttl));
        let poll = match &listener.socket {
            Some(socket) => poll.when("s = :s").with(":s", text(socket)),
            None => poll.when("attribute_exists(pk) AND attribute_not_exists(s)"),
        };
        self.write_one(poll).await.map(|_| ())
    }

    /// Ends a listener. Says whether this call ended it: of several at once one does.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn end_listener(&self, id: &str) -> Result<bool, Error> {
        let end = Write::delete(keys::connection(id)).when("attribute_exists(pk)");
        Ok(matches!(self.write_one(end).await?, Written::Done))
    }

    /// What a connection subscribes to, by name.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn topics(&self, connection: &str) -> Result<Vec<Topic>, Error> {
        let partition = keys::connection_partition(connection);
        let items = self.query_all(partition, keys::CONNECTION_TOPIC, true).await?;
        let mut topics = Vec::with_capacity(items.len());
        for item in &items {
            let sk = get_text(item, schema::SORT_KEY)?;
            topics.extend(sk.strip_prefix(keys::CONNECTION_TOPIC).and_then(Topic::named));
        }
        Ok(topics)
    }
}

fn patience(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    number(now.plus_seconds(PATIENCE_SECONDS).seconds())
}

pub(crate) fn to_item(listener: &Listener, ttl: aws_sdk_dynamodb::types::AttributeValue) -> Item {
    let mut item = item::keyed(&keys::connection(&listener.id));
    item.insert("u".into(), text(listener.user.as_str()));
    item.insert("d".into(), text(Dialect::Channelstream.name()));
    item.insert("t".into(), number(listener.since.millis()));
    item.insert("l".into(), number(listener.polls_until.millis()));
    if let Some(socket) = &listener.socket {
        item.insert("s".into(), text(socket));
    }
    item.insert(schema::TTL.into(), ttl);
    item
}

pub(crate) fn from_item(item: &Item) -> Result<Listener, Error> {
    let pk = get_text(item, schema::PARTITION_KEY)?;
    Ok(Listener {
        id: keys::connection_id(pk).to_owned(),
        user: UserId::trusted(get_text(item, "u")?),
        socket: find_text(item, "s").map(str::to_owned),
        since: connection::since(item),
        polls_until: Timestamp::from_millis(find_number(item, "l").unwrap_or_default()),
    })
}

pub(crate) fn socket_from_item(item: &Item) -> Result<Socket, Error> {
    let pk = get_text(item, schema::PARTITION_KEY)?;
    Ok(Socket {
        id: pk.strip_prefix(keys::SOCKET).unwrap_or(pk).to_owned(),
        listener: get_text(item, "c")?.to_owned(),
        user: UserId::trusted(get_text(item, "u")?),
        at: Timestamp::from_millis(get_number(item, "t")?),
    })
}
