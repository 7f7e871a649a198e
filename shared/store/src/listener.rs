//! Listeners: connections of Channelstream, which are made by REST before there is a socket, and live for a while
//! without one.

use domain::{Dialect, Error, Timestamp, Topic, UserId};

use crate::{
    Item, Store, Write, connection,
    item::{self, find_number, find_text, get_number, get_text, is_over, number, text},
    keys, mail, schema,
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
    /// While what waited for its socket is handed out: how often something was left beside it meanwhile. All that is to
    /// be told waits until then, so that nothing overtakes it.
    pub opening: Option<u64>,
}

impl Listener {
    /// The socket that it is told at; none while what waits is not handed out.
    #[must_use]
    pub fn told_at(&self) -> Option<&str> {
        self.socket.as_deref().filter(|_| self.opening.is_none())
    }
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
        let polls_until = Timestamp::default();
        let listener = Listener { id, user, socket: None, since: now, polls_until, opening: None };
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

    /// Gives a listener, as it was read, a socket. Nothing is told at it before [`Store::open_socket`]. None if it is not
    /// as it was read.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn bind_socket(
        &self,
        listener: &Listener,
        socket: &str,
        now: Timestamp,
    ) -> Result<Option<Listener>, Error> {
        let bound =
            Listener { socket: Some(socket.to_owned()), since: now, opening: Some(0), ..listener.clone() };
        // One whose opening is never announced is not kept for as long as a socket may be open.
        let bind = Write::put(to_item(&bound, number(now.plus_seconds(mail::LIFETIME_SECONDS).seconds())));
        let bind = match &listener.socket {
            Some(other) => bind.when("s = :s OR s = :own").with(":s", text(other)).with(":own", text(socket)),
            None => bind
                .when("attribute_exists(pk) AND (attribute_not_exists(s) OR s = :own)")
                .with(":own", text(socket)),
        };
        Ok(matches!(self.write_one(bind).await?, Written::Done).then_some(bound))
    }

    /// Notes that something was left beside what is handed out. Says whether that is still so: whoever hands it out finds
    /// it then.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn note_left(&self, listener: &str) -> Result<bool, Error> {
        let note = Write::update(keys::connection(listener), "ADD w :one")
            .when("attribute_exists(w)")
            .with(":one", number(1));
        Ok(matches!(self.write_one(note).await?, Written::Done))
    }

    /// Has a listener be told at its socket from now on, if nothing was left since it was read.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn open_socket(&self, listener: &Listener, now: Timestamp) -> Result<bool, Error> {
        let (Some(socket), Some(left)) = (&listener.socket, listener.opening) else { return Ok(false) };
        let open = Write::update(keys::connection(&listener.id), "SET #ttl = :ttl REMOVE w")
            .when("s = :s AND w = :w")
            .with(":ttl", connection::ttl(now))
            .with(":s", text(socket))
            .with(":w", number(left));
        Ok(matches!(self.write_one(open).await?, Written::Done))
    }

    /// Lets a subscription of a listener lead to where the listener is told now; one that has ended, or that leads to a
    /// later socket, is left as it is.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn lead(&self, listener: &Listener, topic: &Topic, now: Timestamp) -> Result<(), Error> {
        let topic = topic.name();
        let key = keys::subscription(&topic, &listener.id);
        let lead = match listener.told_at() {
            Some(socket) => Write::update(key, "SET x = :x, t = :t, #ttl = :ttl").with(":x", text(socket)),
            None => Write::update(key, "SET t = :t, #ttl = :ttl REMOVE x"),
        };
        let lead = lead
            .when("attribute_exists(pk) AND t <= :t")
            .with(":t", number(listener.since.millis()))
            .with(":ttl", connection::ttl(now));
        self.write_one(lead).await?;
        let known = Write::update(keys::connection_topic(&listener.id, &topic), "SET #ttl = :ttl")
            .when("attribute_exists(pk)")
            .with(":ttl", connection::ttl(now));
        self.write_one(known).await.map(|_| ())
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
        let key = keys::connection(&listener.id);
        let poll = match &listener.socket {
            Some(socket) => Write::update(key, "SET l = :l").when("s = :s").with(":s", text(socket)),
            None => Write::update(key, "SET l = :l, #ttl = :ttl")
                .when("attribute_exists(pk) AND attribute_not_exists(s)")
                .with(":ttl", patience(now.max(until))),
        };
        let poll = poll.with(":l", number(until.millis()));
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
    if let Some(left) = listener.opening {
        item.insert("w".into(), number(left));
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
        opening: find_number(item, "w"),
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
