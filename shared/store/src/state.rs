//! The state of a connection: what a dialect keeps about it besides whose it is, for as long as it lasts.
//!
//! It is one attribute more of the connection's own item, so that it ends with it and costs nothing of its own.
//! What stands in it is the dialect's business.

use domain::{Error, Timestamp, UserId};

use crate::{
    Item, Store, Write,
    connection::{self, Connection},
    item::{self, find_text, get_text, is_over, number, text},
    keys, schema,
    write::Written,
};

/// A connection, with what its dialect keeps about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stateful {
    /// The connection.
    pub connection: Connection,
    /// The dialect's own.
    pub state: String,
}

impl Store {
    /// Keeps a connection with its state. Says whether it does: not if the connection is somebody's already.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn open_connection(&self, new: &Stateful, now: Timestamp) -> Result<bool, Error> {
        let Connection { id, user, dialect, since, .. } = &new.connection;
        let mut by_id = item::keyed(&keys::connection(id));
        by_id.insert("u".into(), text(user.as_str()));
        by_id.insert("x".into(), text(&new.state));
        let mut by_user = item::keyed(&keys::user_connection(user, id));
        for item in [&mut by_id, &mut by_user] {
            item.insert("d".into(), text(dialect.name()));
            item.insert("t".into(), number(since.millis()));
            connection::set_arrays(item, &new.connection);
            item.insert(schema::TTL.into(), connection::ttl(now));
        }
        // Both or none: half a connection would be told nothing, and could not be opened again.
        let both = vec![Write::put(by_id).when("attribute_not_exists(pk)"), Write::put(by_user)];
        Ok(matches!(self.write_all(both).await?, Written::Done))
    }

    /// A connection with its state; none if it has none, or has ended.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn state(&self, connection: &str, now: Timestamp) -> Result<Option<Stateful>, Error> {
        let found = self.get(&keys::connection(connection), true).await?;
        Ok(found.as_ref().map(|item| from_item(item, now)).transpose()?.flatten())
    }

    /// These connections with their states, in any order; those without one are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn states<'a>(
        &self,
        connections: impl IntoIterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<Vec<Stateful>, Error> {
        let keys: Vec<_> = connections.into_iter().map(keys::connection).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let items = self.get_all(keys, true).await?;
        let states: Result<Vec<_>, _> = items.iter().map(|item| from_item(item, now)).collect();
        Ok(states?.into_iter().flatten().collect())
    }

    /// Changes a connection's state from what was read. Says whether it did: not if somebody else changed it meanwhile, or
    /// it has ended.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn change_state(&self, before: &Stateful, state: &str) -> Result<bool, Error> {
        let update = Write::update(keys::connection(&before.connection.id), "SET x = :x")
            .when("x = :b")
            .with(":x", text(state))
            .with(":b", text(&before.state));
        Ok(matches!(self.write_one(update).await?, Written::Done))
    }
}

pub(crate) fn from_item(item: &Item, now: Timestamp) -> Result<Option<Stateful>, Error> {
    if is_over(item, now) {
        return Ok(None);
    }
    let (Some(state), Some(dialect)) = (find_text(item, "x"), connection::dialect(item)) else {
        return Ok(None);
    };
    let connection = Connection {
        id: keys::connection_id(get_text(item, schema::PARTITION_KEY)?).to_owned(),
        user: UserId::trusted(get_text(item, "u")?),
        dialect,
        since: connection::since(item),
        arrays: connection::arrays(item),
    };
    Ok(Some(Stateful { connection, state: state.to_owned() }))
}
