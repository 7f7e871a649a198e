//! Users: profiles, and their relations to one another. What proves who somebody is stands in `login.rs`.

use std::time::{Duration, Instant};

use domain::{Error, Number, Timestamp, User, UserId};

use crate::{
    Item, Store, Write, directory,
    item::{self, find_text, get_json, get_text, json, number, text},
    keys, login, schema,
    signal::{self, News},
    write::Written,
};

/// How long a process shows a user as it last read it: a new name takes at most this long to be seen.
pub const FRESH: Duration = Duration::from_secs(30);

/// A user's relation to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The user wants to hear nothing of the other.
    Block,
    /// The user calls the other a friend.
    Friend,
}

impl Relation {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Block => keys::BLOCK,
            Self::Friend => keys::FRIEND,
        }
    }
}

impl Store {
    /// The user; none if there is none. At most [`FRESH`] old.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, Error> {
        if let Some(user) = self.remembered(id) {
            return Ok(Some(user));
        }
        let found = self.get(&keys::user(id), false).await?;
        found.as_ref().map(|item| self.remember_user(item)).transpose()
    }

    /// These users, by id; those who do not exist are left out. At most [`FRESH`] old.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn users(&self, ids: impl IntoIterator<Item = UserId>) -> Result<Vec<User>, Error> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for id in ids {
            match self.remembered(&id) {
                Some(user) => known.push(user),
                None => unknown.push(keys::user(&id)),
            }
        }
        if !unknown.is_empty() {
            for found in &self.get_all(unknown, false).await? {
                known.push(self.remember_user(found)?);
            }
        }
        known.sort_by(|one, other| one.id.cmp(&other.id));
        known.dedup_by(|one, other| one.id == other.id);
        Ok(known)
    }

    /// The user, made now if there was none; then it is announced.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn ensure_user(&self, id: &UserId, now: Timestamp) -> Result<User, Error> {
        self.ensure(id, now, false).await
    }

    /// The user, made now if there was none; nobody is told before somebody gives it a profile.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn ensure_user_untold(&self, id: &UserId, now: Timestamp) -> Result<User, Error> {
        self.ensure(id, now, true).await
    }

    async fn ensure(&self, id: &UserId, now: Timestamp, untold: bool) -> Result<User, Error> {
        if let Some(user) = self.user(id).await? {
            return Ok(user);
        }
        let number = self.draw_user_number().await?;
        let user = User { implicit: true, untold, ..User::new(id.clone(), number, now) };
        match self.create_user(&user, None).await {
            Ok(true) => return Ok(user),
            // Somebody else was faster, or is being so.
            Ok(false) | Err(Error::Busy) => {}
            Err(error) => return Err(error),
        }
        let found = self.get(&keys::user(id), true).await?;
        let item = found.ok_or(Error::Busy)?;
        self.remember_user(&item)
    }

    /// Draws a number for a new user.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn draw_user_number(&self) -> Result<Number, Error> {
        self.draw("ADD u :one", "u").await
    }

    /// Makes a user, with the logins that it has: the e-mail address, and the id if there is a password. Says whether
    /// it was made: not if the id or a login is taken.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn create_user(&self, user: &User, password_hash: Option<&str>) -> Result<bool, Error> {
        let writes = create(user, password_hash)?;
        let done = matches!(self.write_all(writes).await?, Written::Done);
        if done {
            self.users.insert(user.id.clone(), (Instant::now(), user.clone()));
        }
        Ok(done)
    }

    /// Removes a user. Says whether: not if there is none, or somebody changed its login meanwhile.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn delete_user(&self, user: &User, now: Timestamp) -> Result<bool, Error> {
        let mut writes = delete(user, now)?;
        let claimed = self.get(&keys::login(user.id.as_str()), true).await?;
        // A user without a password has no claim on its id.
        if claimed.is_some_and(|item| find_text(&item, "u") == Some(user.id.as_str())) {
            writes.push(login::give_up_one(user.id.as_str(), &user.id));
        }
        let done = matches!(self.write_all(writes).await?, Written::Done);
        self.users.remove(&user.id);
        Ok(done)
    }

    /// Changes a user's profile, and the password where a hash is given. Says whether it was changed: not if
    /// the new e-mail address is another's login, or, where it gets a password, the id is.
    ///
    /// # Errors
    /// [`Error::Conflict`] if somebody else changed it since `before` was read; [`Error::Busy`],
    /// [`Error::Internal`].
    pub async fn update_user(
        &self,
        before: &User,
        after: &User,
        password_hash: Option<&str>,
    ) -> Result<bool, Error> {
        let expression =
            if password_hash.is_some() { "SET x = :x, t = :t, h = :h" } else { "SET x = :x, t = :t" };
        // Two changes of one millisecond are two versions.
        let version = after.updated_at.max(Timestamp::from_millis(before.updated_at.millis() + 1));
        let after = &User { updated_at: version, untold: false, ..after.clone() };
        let mut update = Write::update(keys::user(&after.id), expression)
            .when("t = :before")
            .with(":before", number(before.updated_at.millis()))
            .with(":t", number(version.millis()))
            .with(":x", json(after)?);
        if let Some(hash) = password_hash {
            update = update.with(":h", text(hash));
        }
        let mut writes = vec![update];
        if before.untold {
            writes.push(signal::announce(&News::Created(after.id.clone()), version)?);
        }
        let lower = |user: &User| user.email.as_ref().map(|email| email.to_lowercase());
        let moved = lower(before) != lower(after);
        let new_email = after.email.as_deref().filter(|_| moved);
        writes.extend(login::claim(after, new_email, password_hash.is_some()));
        if let Some(email) = before.email.as_ref().filter(|_| moved) {
            writes.extend(login::give_up(email, &before.id));
        }
        let written = self.write_all(writes).await?;
        self.users.remove(&after.id);
        match written {
            Written::Done => Ok(true),
            Written::Refused(refused) if refused.iter().any(|(write, _)| *write == 0) => {
                Err(Error::Conflict("Somebody else changed the profile at the same time."))
            }
            Written::Refused(_) => Ok(false),
        }
    }

    /// The user as the table has it now, not as this process remembers it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user_now(&self, id: &UserId) -> Result<Option<User>, Error> {
        let found = self.get(&keys::user(id), true).await?;
        found.as_ref().map(|item| self.remember_user(item)).transpose()
    }

    /// The user that a number names; none if it names none.
    ///
    /// A user who was made before numbers were named is looked for in the list of all, once.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user_of(&self, number: Number) -> Result<Option<User>, Error> {
        if let Some(named) = self.get(&keys::user_number(number), false).await? {
            return self.user(&UserId::trusted(get_text(&named, "u")?)).await;
        }
        let Some(id) = self.listed_user(number).await? else { return Ok(None) };
        let Some(user) = self.user(&id).await? else { return Ok(None) };
        self.write_one(name_number(&user)).await?;
        Ok(Some(user))
    }

    /// Says that the user blocks, or is a friend of, the other; or no longer.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set_relation(
        &self,
        user: &UserId,
        relation: Relation,
        other: &UserId,
        on: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = keys::relation(user, relation.prefix(), other);
        let write = if on {
            let mut line = item::keyed(&key);
            line.insert("t".into(), number(now.millis()));
            Write::put(line)
        } else {
            Write::delete(key)
        };
        self.write_one(write).await.map(|_| ())
    }

    /// Whether the user blocks, or is a friend of, the other.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn has_relation(
        &self,
        user: &UserId,
        relation: Relation,
        other: &UserId,
    ) -> Result<bool, Error> {
        Ok(self.get(&keys::relation(user, relation.prefix(), other), true).await?.is_some())
    }

    /// The users whom the user blocks, or calls friends, by id.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn relations(&self, user: &UserId, relation: Relation) -> Result<Vec<UserId>, Error> {
        let items = self.query_all(keys::user_partition(user), relation.prefix(), false).await?;
        let id = |item: &Item| -> Result<UserId, Error> {
            let sk = get_text(item, schema::SORT_KEY)?;
            Ok(UserId::trusted(sk.strip_prefix(relation.prefix()).unwrap_or(sk)))
        };
        items.iter().map(id).collect()
    }

    fn remembered(&self, id: &UserId) -> Option<User> {
        self.users.get(id).filter(|(read, _)| read.elapsed() < FRESH).map(|(_, user)| user)
    }

    pub(crate) fn remember_user(&self, item: &Item) -> Result<User, Error> {
        let user: User = get_json(item, "x")?;
        self.users.insert(user.id.clone(), (Instant::now(), user.clone()));
        Ok(user)
    }
}

/// Puts a new user, with its logins, and announces it. Refused if the id or a login is taken.
fn create(user: &User, password_hash: Option<&str>) -> Result<Vec<Write>, Error> {
    let mut writes = vec![
        Write::put(to_item(user, password_hash)?).when("attribute_not_exists(pk)"),
        directory::list_user(user),
        name_number(user),
    ];
    writes.extend(login::claim(user, user.email.as_deref(), password_hash.is_some()));
    if !user.untold {
        writes.push(signal::announce(&News::Created(user.id.clone()), user.updated_at)?);
    }
    Ok(writes)
}

/// Removes a user, its password and its address as a login, and announces that. Refused if there is no such user.
fn delete(user: &User, now: Timestamp) -> Result<Vec<Write>, Error> {
    let mut writes = vec![
        Write::delete(keys::user(&user.id)).when("attribute_exists(pk)"),
        directory::unlist_user(&user.id),
        Write::delete(keys::user_number(user.number)),
    ];
    if let Some(email) = &user.email {
        writes.extend(login::give_up(email, &user.id));
    }
    writes.push(signal::announce(&News::Deleted(user.id.clone()), now)?);
    Ok(writes)
}

fn name_number(user: &User) -> Write {
    let mut line = item::keyed(&keys::user_number(user.number));
    line.insert("u".into(), text(user.id.as_str()));
    Write::put(line)
}

pub(crate) fn to_item(user: &User, password_hash: Option<&str>) -> Result<Item, Error> {
    let mut item = item::keyed(&keys::user(&user.id));
    item.insert("x".into(), json(user)?);
    item.insert("t".into(), number(user.updated_at.millis()));
    if let Some(hash) = password_hash {
        item.insert("h".into(), text(hash));
    }
    Ok(item)
}
