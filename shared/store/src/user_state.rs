//! What an application says about users in Channelstream. It is forgotten when a user has not been heard of for a
//! day, as on the original.

use domain::{Error, Timestamp, UserId, channel::UserState};

use crate::{
    Store, Write,
    item::{self, get_json, get_text, is_over, json, number},
    keys, schema,
    write::Written,
};

/// How long a user is remembered, in seconds.
const REMEMBERED_SECONDS: i64 = 86_400;

impl Store {
    /// The user's state; none if the user is not known here, or not any more.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user_state(&self, user: &UserId, now: Timestamp) -> Result<Option<UserState>, Error> {
        let found = self.get(&keys::user_state(user), true).await?;
        found.filter(|item| !is_over(item, now)).as_ref().map(|item| get_json(item, "x")).transpose()
    }

    /// The states of these users, in any order; of those who are not known none.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user_states(
        &self,
        users: impl IntoIterator<Item = &UserId>,
        now: Timestamp,
    ) -> Result<Vec<(UserId, UserState)>, Error> {
        let items = self.get_all(users.into_iter().map(keys::user_state).collect(), true).await?;
        let known = items.iter().filter(|item| !is_over(item, now));
        known
            .map(|item| {
                let pk = get_text(item, schema::PARTITION_KEY)?;
                Ok((keys::user_id(pk), get_json(item, "x")?))
            })
            .collect()
    }

    /// All users that were ever known here.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn all_stateful_users(&self) -> Result<Vec<UserId>, Error> {
        Ok(self.listed(keys::ALL_STATES).await?.into_iter().map(UserId::trusted).collect())
    }

    /// Puts a user's state, if it is still what it was before. Says whether it was put.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_user_state(
        &self,
        user: &UserId,
        before: Option<&UserState>,
        after: &UserState,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut item = item::keyed(&keys::user_state(user));
        item.insert("x".into(), json(after)?);
        item.insert("t".into(), number(now.plus_seconds(REMEMBERED_SECONDS).seconds()));
        item.insert(schema::TTL.into(), number(now.plus_seconds(REMEMBERED_SECONDS).seconds()));
        let put = Write::put(item);
        let writes = match before {
            Some(before) => vec![put.when("x = :x").with(":x", json(before)?)],
            None => vec![
                put.when("attribute_not_exists(pk) OR t <= :now").with(":now", number(now.seconds())),
                Write::put(item::keyed(&keys::listed(keys::ALL_STATES, user.as_str()))),
            ],
        };
        Ok(matches!(self.write_all(writes).await?, Written::Done))
    }
}
