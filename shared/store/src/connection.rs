//! Connections: found by their user when something is to be delivered, and by their id when they end.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{Dialect, Error, Timestamp, UserId};

use crate::{
    Item, Store, fault,
    item::{self, find_number, find_text, get_text, is_over, number, text},
    keys::{self, Key},
    retry, schema,
};

/// API Gateway ends a WebSocket after two hours; ten minutes more for clocks.
const LIFETIME_SECONDS: i64 = 2 * 3600 + 600;
/// Writes of one `BatchWriteItem`.
const WRITES_PER_BATCH: usize = 25;

/// A WebSocket connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// API Gateway's id.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What it speaks.
    pub dialect: Dialect,
    /// When it was accepted.
    pub since: Timestamp,
    /// Its client asked for arrays of events: one post for several of them.
    pub arrays: bool,
}

/// A connection with what is kept of it beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// It.
    pub connection: Connection,
    /// What its dialect wants to know of it at its next message: its own business.
    pub detail: Option<String>,
    /// When whoever it is owed entries by must have sent them, or has died; see [`crate::hold`].
    pub owed: Option<Timestamp>,
}

impl Store {
    /// Keeps a connection, until it is removed or its time to live is over.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_connection(&self, connection: &Connection, now: Timestamp) -> Result<(), Error> {
        self.put_connection_with(connection, None, now).await
    }

    /// Keeps a connection, with what its dialect wants to know of it at its next message: its own business.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_connection_with(
        &self,
        connection: &Connection,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ttl = ttl(now);
        let mut by_id = item::keyed(&keys::connection(&connection.id));
        by_id.insert("u".into(), text(connection.user.as_str()));
        if let Some(detail) = detail {
            by_id.insert("x".into(), text(detail));
        }
        let by_user = item::keyed(&keys::user_connection(&connection.user, &connection.id));
        let mut items = [by_id, by_user];
        for item in &mut items {
            item.insert("d".into(), text(connection.dialect.name()));
            item.insert("t".into(), number(connection.since.millis()));
            set_arrays(item, connection);
            item.insert(schema::TTL.into(), ttl.clone());
        }
        let puts: Result<Vec<_>, _> = items
            .into_iter()
            .map(|item| {
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            })
            .collect();
        self.write_batch(puts.map_err(built)?).await
    }

    /// The connection of that id; none if it has ended.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn connection(&self, id: &str, now: Timestamp) -> Result<Option<Connection>, Error> {
        Ok(self.kept_connection(id, now).await?.map(|kept| kept.connection))
    }

    /// The connection of that id with what is kept beside; none if it has ended.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn kept_connection(&self, id: &str, now: Timestamp) -> Result<Option<Kept>, Error> {
        let Some(found) = self.get(&keys::connection(id), true).await? else { return Ok(None) };
        if is_over(&found, now) {
            return Ok(None);
        }
        let user = UserId::trusted(get_text(&found, "u")?);
        let (since, arrays) = (since(&found), arrays(&found));
        let detail = find_text(&found, "x").map(str::to_owned);
        let owed = find_number(&found, "o").map(Timestamp::from_millis);
        let id = id.to_owned();
        let connection = |dialect| Connection { id, user, dialect, since, arrays };
        Ok(dialect(&found).map(connection).map(|connection| Kept { connection, detail, owed }))
    }

    /// The user's connections.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn connections(&self, user: &UserId, now: Timestamp) -> Result<Vec<Connection>, Error> {
        // Consistent: whoever was connected before an entry was written must not be missed.
        let items = self.query_all(keys::user_partition(user), keys::USER_CONNECTION, true).await?;
        let mut connections = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !is_over(item, now)) {
            let sk = get_text(item, schema::SORT_KEY)?;
            let id = sk.strip_prefix(keys::USER_CONNECTION).unwrap_or(sk).to_owned();
            if let Some(dialect) = dialect(item) {
                let (since, arrays) = (since(item), arrays(item));
                connections.push(Connection { id, user: user.clone(), dialect, since, arrays });
            }
        }
        Ok(connections)
    }

    /// Removes a connection of a known user: also where only the half of it that its user is asked for was
    /// ever written.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn forget_connection(&self, connection: &Connection) -> Result<(), Error> {
        self.remove(&connection.id, vec![keys::user_connection(&connection.user, &connection.id)]).await
    }

    /// Removes a connection and its subscriptions. Removing one that is gone is no error.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn remove_connection(&self, id: &str) -> Result<(), Error> {
        self.remove(id, Vec::new()).await
    }

    async fn remove(&self, id: &str, mut gone: Vec<Key>) -> Result<(), Error> {
        let items = self.query_all(keys::connection_partition(id), "", true).await?;
        for item in &items {
            let sk = get_text(item, schema::SORT_KEY)?;
            if let Some(topic) = sk.strip_prefix(keys::CONNECTION_TOPIC) {
                gone.push(keys::connection_topic(id, topic));
                gone.push(keys::subscription(topic, id));
            } else {
                gone.push(keys::connection(id));
                gone.push(keys::user_connection(&UserId::trusted(get_text(item, "u")?), id));
            }
        }
        // One batch must not name a key twice.
        gone.sort();
        gone.dedup();
        let deletes: Result<Vec<_>, _> = gone
            .iter()
            .map(|key| {
                let delete = DeleteRequest::builder().set_key(Some(item::keyed(key))).build()?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            })
            .collect();
        self.write_batch(deletes.map_err(built)?).await
    }

    /// Does unconditional writes, in batches; what DynamoDB leaves unprocessed is sent again.
    pub(crate) async fn write_batch(&self, writes: Vec<WriteRequest>) -> Result<(), Error> {
        for chunk in writes.chunks(WRITES_PER_BATCH) {
            let mut left = chunk.to_vec();
            let mut attempt = 0;
            while !left.is_empty() {
                let answer = self
                    .client
                    .batch_write_item()
                    .request_items(&self.table, std::mem::take(&mut left))
                    .send()
                    .await
                    .map_err(|error| fault::of("BatchWriteItem", &error))?;
                left.extend(answer.unprocessed_items.into_iter().flatten().flat_map(|(_, rest)| rest));
                if !left.is_empty() {
                    if attempt == retry::ATTEMPTS {
                        return Err(Error::Busy);
                    }
                    retry::pause(attempt).await;
                    attempt += 1;
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn ttl(now: Timestamp) -> aws_sdk_dynamodb::types::AttributeValue {
    number(now.plus_seconds(LIFETIME_SECONDS).seconds())
}

pub(crate) fn since(item: &Item) -> Timestamp {
    Timestamp::from_millis(find_number(item, "t").unwrap_or_default())
}

pub(crate) fn set_arrays(item: &mut Item, of: &Connection) {
    if of.arrays {
        item.insert("a".into(), number(1));
    }
}

pub(crate) fn arrays(item: &Item) -> bool {
    item.contains_key("a")
}

pub(crate) fn dialect(item: &Item) -> Option<Dialect> {
    find_text(item, "d").and_then(Dialect::from_name)
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
pub(crate) fn built(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::Internal(format!("a write of a batch: {error}"))
}
