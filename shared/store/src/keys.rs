//! The key design of the one table. Every key is spelled here and nowhere else.
//!
//! | what | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | conversation, its settings | `CONV#<conversation id>` | `CONV` | `x` JSON, `n` number, `gone` once deleted |
//! | member: a user's standing in it | `CONV#<conversation id>` | `MEMBER#<user id>` | `x` JSON, `n` number |
//! | division of a large audience | `CONV#<conversation id>` | `MEMBER!` | see `division.rs`, `ttl` |
//! | shard of it: how far it was served | `SHARD#<number>` | `<generation>#<shard>`, and `<generation>#<shard>.end` when it was told of the end | `p` round, `z` size, `ttl` |
//! | channel: how Channelstream delivers it | `CONV#<conversation id>` | `CHANNEL` | `x` JSON, `n` number, `a` last active |
//! | watcher | `CONV#<conversation id>` | `WATCHER#<user id>` | `t` time |
//! | one-to-one conversation of two users | `DIRECT#<bytes of low>:<low><high>` | `DIRECT` | `c` conversation id |
//! | name of a number | `NUMBER#<number>` | `NUMBER` | `c` conversation id |
//! | entry of the log | `LOG#<number>` | 12 digits of seq | see `log.rs` |
//! | turn to append to a log | `LOG#<number>` | `TURN`, behind all entries | see `turn.rs`, `ttl` |
//! | message id that a client chose | `MESSAGE#<message id>` | `MESSAGE` | `n` number, `s` seq |
//! | read mark, for the others | `READ#<number>` | user id | `s` seq, `t` time |
//! | signal: announced, not kept | `SIGNAL#<number>` | `<kind>#<user id or name>` | `x` JSON, `ttl` |
//! | name of a user's number | `USERNUMBER#<number>` | `USER` | `u` user id |
//! | session of a browser | `SESSION#<SHA-256 of its secret>` | `SESSION` | `u` user, `n` the user's number, `h` digest of the password hash, `ttl` |
//! | user | `USER#<user id>` | `USER` | `x` JSON, `t` version, `h` password hash |
//! | membership, for the user's lists | `USER#<user id>` | `CONV#<conversation id>` | `n` number, `j` joined, `s`, `t` read mark, `q` muted, `w` hidden up to |
//! | relation to another user | `USER#<user id>` | `BLOCK#…`, `FRIEND#<user id>` | `t` time |
//! | connection, for its user | `USER#<user id>` | `CONN#<connection id>` | `d` dialect, `t` since, `a` takes arrays, `ttl` |
//! | state of a user in Channelstream | `USER#<user id>` | `STATE` | `x` JSON, `t` end, `ttl` |
//! | connection, for its id | `CONN#<connection id>` | `CONN` | `u` user, `d` dialect, `t` since, `a` takes arrays, `x` detail, `o` owed until, `ttl`; of a listener also `s` socket, `l` polls until, `w` left while what waits is handed out |
//! | socket of a listener | `SIGNAL#socket#<connection id>` | `SOCKET` | `c` listener, `u` user, `t` opened, `ttl` |
//! | user who came or went, to be announced | `SIGNAL#user#<user id>` | `USER` | `x` JSON, `t` time, `ttl` |
//! | event that waits for a listener | `MAIL#<listener>` | its order | `x` JSON, `c` topic, `n` number, `q` seq, `t` time, `ttl` |
//! | subscription, for its connection | `CONN#<connection id>` | `TOPIC#<topic>` | `ttl` |
//! | subscription, for its topic | `TOPIC#<topic>` | connection id | `u` user, `d` dialect, `t` since, `a` takes arrays, `x` detail, `ttl`; see `hold.rs` |
//! | request with an idempotency key | `REQUEST#<caller>` | the key | see `idempotency.rs` |
//! | once-only notice | `NOTICE#<number>` | 12 digits of seq | `ttl` |
//! | login name, id of who has a password | `LOGIN#<login, lower case>` | `LOGIN` | `u` user |
//! | all users, all conversations | `ALL#USER`, `ALL#CONV` | id | `n` number |
//! | all channels, all users with a state | `ALL#CHANNEL`, `ALL#STATE` | id | |
//! | counter of numbers | `COUNTER` | `COUNTER` | `c` conversations, `u` users |
//!
//! The stream's filter lets three kinds out: insertions under `LOG#` (entries), writes under `READ#` (read marks)
//! and under `SIGNAL#`. A conversation's settings stand under its string id because requests name it so; its log stands
//! under its number because message ids carry that, so that a life of a conversation and the next one of the
//! same id never share a log.

use domain::{ConversationId, Error, MessageId, Number, Place, Seq, UserId};

use crate::{Item, item};

/// A key of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }
}

/// What the partition keys of logs begin with; the stream's filter names it too.
pub const LOG: &str = "LOG#";
/// What the partition keys of read marks begin with; the stream's filter names it too.
pub const READ: &str = "READ#";
/// What the partition keys of signals begin with; the stream's filter names it too.
pub const SIGNAL: &str = "SIGNAL#";
/// What the sort keys of watchers begin with.
pub const WATCHER: &str = "WATCHER#";
/// What the sort keys of members begin with.
pub const MEMBER: &str = "MEMBER#";
/// Behind the sort keys of all members.
pub const MEMBER_END: &str = "MEMBER$";
/// What the sort keys of a user's memberships begin with.
pub const MEMBERSHIP: &str = "CONV#";
/// What the sort keys of a user's connections begin with.
pub const USER_CONNECTION: &str = "CONN#";
/// What the sort keys of a connection's subscriptions begin with.
pub const CONNECTION_TOPIC: &str = "TOPIC#";
/// What the sort keys of users that a user blocks begin with.
pub const BLOCK: &str = "BLOCK#";
/// What the sort keys of a user's friends begin with.
pub const FRIEND: &str = "FRIEND#";

/// A conversation's settings.
#[must_use]
pub fn conversation(id: &ConversationId) -> Key {
    Key::new(conversation_partition(id), "CONV")
}

/// The partition of a conversation's settings and members.
#[must_use]
pub fn conversation_partition(id: &ConversationId) -> String {
    format!("CONV#{id}")
}

/// The conversation that a partition is of.
#[must_use]
pub fn conversation_id(partition: &str) -> ConversationId {
    ConversationId::trusted(partition.strip_prefix("CONV#").unwrap_or(partition))
}

/// A user's standing in a conversation.
#[must_use]
pub fn member(conversation: &ConversationId, user: &UserId) -> Key {
    Key::new(conversation_partition(conversation), format!("{MEMBER}{user}"))
}

/// The division of a large audience: in front of the members, so that who reads them finds it too.
#[must_use]
pub fn division(conversation: &ConversationId) -> Key {
    Key::new(conversation_partition(conversation), "MEMBER!")
}

/// How far a shard of a division is; of an empty name: what the keys of all of them begin with.
#[must_use]
pub fn shard(number: Number, generation: u64, shard: &str) -> Key {
    Key::new(format!("SHARD#{number}"), format!("{generation}#{shard}"))
}

/// The conversation that a number names.
#[must_use]
pub fn number(number: Number) -> Key {
    Key::new(format!("NUMBER#{number}"), "NUMBER")
}

/// The one-to-one conversation of two users: the same key whoever asks.
#[must_use]
pub fn direct(one: &UserId, other: &UserId) -> Key {
    let (low, high) = if one <= other { (one, other) } else { (other, one) };
    // The length keeps ("a", "bc") and ("ab", "c") apart.
    Key::new(format!("DIRECT#{}:{low}{high}", low.as_str().len()), "DIRECT")
}

/// A log.
#[must_use]
pub fn log_partition(number: Number) -> String {
    format!("{LOG}{number}")
}

/// A seq as a sort key: 12 digits, so that text order is number order.
#[must_use]
pub fn seq(seq: Seq) -> String {
    format!("{seq:012}", seq = seq.0)
}

/// An entry of a log.
#[must_use]
pub fn entry(place: Place) -> Key {
    Key::new(log_partition(place.number), seq(place.seq))
}

/// The place that an entry's key names.
///
/// # Errors
/// [`Error::Internal`] if it is no entry's key.
pub fn place(of: &Item) -> Result<Place, Error> {
    let pk = item::get_text(of, crate::schema::PARTITION_KEY)?;
    let sk = item::get_text(of, crate::schema::SORT_KEY)?;
    let parsed = pk.strip_prefix(LOG).and_then(|number| number.parse().ok()).zip(sk.parse().ok());
    let Some((number, seq)) = parsed else {
        return Err(Error::Internal(format!("{pk} {sk} is no key of an entry")));
    };
    Ok(Place { number: Number(number), seq: Seq(seq) })
}

/// The last sort key that an entry can have.
pub const LOG_END: &str = "999999999999";

/// The sort key of a turn: behind the last entry, so that who asks for that finds it.
pub const TURN: &str = "TURN";

/// A turn to append to a log.
#[must_use]
pub fn turn(number: Number) -> Key {
    Key::new(log_partition(number), TURN)
}

/// A message id that a client chose.
#[must_use]
pub fn chosen_message(id: &MessageId) -> Key {
    Key::new(format!("MESSAGE#{id}"), "MESSAGE")
}

/// The read marks of a conversation.
#[must_use]
pub fn read_partition(number: Number) -> String {
    format!("{READ}{number}")
}

/// A user's read mark in a conversation.
#[must_use]
pub fn read_mark(number: Number, user: &UserId) -> Key {
    Key::new(read_partition(number), user.as_str())
}

/// A signal in a conversation: of a user, or with a name of its own.
#[must_use]
pub fn signal(number: Number, kind: &str, name: &str) -> Key {
    Key::new(format!("{SIGNAL}{number}"), format!("{kind}#{name}"))
}

/// A watcher of a conversation.
#[must_use]
pub fn watcher(conversation: &ConversationId, user: &UserId) -> Key {
    Key::new(conversation_partition(conversation), format!("{WATCHER}{user}"))
}

/// The partition of all that is a user's.
#[must_use]
pub fn user_partition(id: &UserId) -> String {
    format!("USER#{id}")
}

/// The user that a partition is of.
#[must_use]
pub fn user_id(partition: &str) -> UserId {
    UserId::trusted(partition.strip_prefix("USER#").unwrap_or(partition))
}

/// A user.
#[must_use]
pub fn user(id: &UserId) -> Key {
    Key::new(user_partition(id), "USER")
}

/// The user that a number names.
#[must_use]
pub fn user_number(number: Number) -> Key {
    Key::new(format!("USERNUMBER#{number}"), "USER")
}

/// A session, by the digest of its secret.
#[must_use]
pub fn session(digest: &str) -> Key {
    Key::new(format!("SESSION#{digest}"), "SESSION")
}

/// A user's membership.
#[must_use]
pub fn membership(user: &UserId, conversation: &ConversationId) -> Key {
    Key::new(user_partition(user), format!("{MEMBERSHIP}{conversation}"))
}

/// A user's relation to another: `kind` is [`BLOCK`] or [`FRIEND`].
#[must_use]
pub fn relation(user: &UserId, kind: &str, other: &UserId) -> Key {
    Key::new(user_partition(user), format!("{kind}{other}"))
}

/// A connection, found by its user.
#[must_use]
pub fn user_connection(user: &UserId, connection: &str) -> Key {
    Key::new(user_partition(user), format!("{USER_CONNECTION}{connection}"))
}

/// The partition of a connection and its subscriptions.
#[must_use]
pub fn connection_partition(connection: &str) -> String {
    format!("CONN#{connection}")
}

/// The connection that a partition is of.
#[must_use]
pub fn connection_id(partition: &str) -> &str {
    partition.strip_prefix("CONN#").unwrap_or(partition)
}

/// A connection, found by its id.
#[must_use]
pub fn connection(connection: &str) -> Key {
    Key::new(connection_partition(connection), "CONN")
}

/// A subscription, found by its connection.
#[must_use]
pub fn connection_topic(connection: &str, topic: &str) -> Key {
    Key::new(connection_partition(connection), format!("{CONNECTION_TOPIC}{topic}"))
}

/// The subscriptions of a topic.
#[must_use]
pub fn topic_partition(topic: &str) -> String {
    format!("TOPIC#{topic}")
}

/// The topic that a partition is of.
#[must_use]
pub fn topic(partition: &str) -> &str {
    partition.strip_prefix("TOPIC#").unwrap_or(partition)
}

/// A subscription, found by its topic.
#[must_use]
pub fn subscription(topic: &str, connection: &str) -> Key {
    Key::new(topic_partition(topic), connection)
}

/// A request that carries an idempotency key. `caller` is whose key it is.
#[must_use]
pub fn request(caller: &str, key: &str) -> Key {
    Key::new(format!("REQUEST#{caller}"), key)
}

/// Says that the notices of an entry have been written.
#[must_use]
pub fn notice(place: Place) -> Key {
    Key::new(format!("NOTICE#{}", place.number), seq(place.seq))
}

/// A login name or e-mail address. Case does not matter.
#[must_use]
pub fn login(login: &str) -> Key {
    Key::new(format!("LOGIN#{}", login.to_lowercase()), "LOGIN")
}

/// The list of all users.
pub const ALL_USERS: &str = "ALL#USER";
/// The list of all conversations.
pub const ALL_CONVERSATIONS: &str = "ALL#CONV";

/// A line of the list of all users or all conversations.
#[must_use]
pub fn listed(list: &str, id: &str) -> Key {
    Key::new(list.to_owned(), id)
}

/// The list of all conversations that Channelstream has to do with.
pub const ALL_CHANNELS: &str = "ALL#CHANNEL";
/// The list of all users that Channelstream has to do with.
pub const ALL_STATES: &str = "ALL#STATE";

/// How Channelstream delivers a conversation.
#[must_use]
pub fn channel(id: &ConversationId) -> Key {
    Key::new(conversation_partition(id), "CHANNEL")
}

/// A user's state in Channelstream.
#[must_use]
pub fn user_state(id: &UserId) -> Key {
    Key::new(user_partition(id), "STATE")
}

/// What the partition keys of listeners' sockets begin with: a socket is a signal too, because what its listener
/// missed is sent when it opens.
pub const SOCKET: &str = "SIGNAL#socket#";

/// What the partition keys of users who came or went begin with: signals, too.
pub const USER_NEWS: &str = "SIGNAL#user#";

/// What is to be announced of a user.
#[must_use]
pub fn user_news(user: &UserId) -> Key {
    Key::new(format!("{USER_NEWS}{user}"), "USER")
}

/// A socket of a listener.
#[must_use]
pub fn socket(connection: &str) -> Key {
    Key::new(format!("{SOCKET}{connection}"), "SOCKET")
}

/// What waits for a listener.
#[must_use]
pub fn mail_partition(listener: &str) -> String {
    format!("MAIL#{listener}")
}

/// An event that waits for a listener.
#[must_use]
pub fn mail(listener: &str, order: &str) -> Key {
    Key::new(mail_partition(listener), order)
}

/// The counter of numbers.
#[must_use]
pub fn counter() -> Key {
    Key::new("COUNTER".to_owned(), "COUNTER")
}
