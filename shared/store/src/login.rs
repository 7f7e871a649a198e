//! Logins and passwords: what proves who somebody is.
//!
//! A login is an e-mail address, an nkchat login, or the id of a user with a password. Case does not matter, and each
//! is one user's: it is claimed, by an item, in the transaction that gives the user the address or the password. So
//! nobody takes another's id as an address, however it is spelled. Whoever typed an id as it is means that user.

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use domain::{Error, User, UserId, limits};
use tokio::sync::Semaphore;

use crate::{
    Item, Store, Write,
    item::{self, find_text, get_text, text},
    keys,
};

/// Argon2 takes 19 MiB and a core for tens of milliseconds: no more of it at once than there are cores in a
/// small machine, however many log in.
static HASHING: Semaphore = Semaphore::const_new(2);

impl Store {
    /// The user that a login (an e-mail address, an nkchat login) or a user id names.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn user_named(&self, login: &str) -> Result<Option<UserId>, Error> {
        // No login is longer than an id; a longer one might not even make a key.
        let claimed = match login.len() {
            1..=limits::ID_BYTES => self.get(&keys::login(login), true).await?,
            _ => None,
        };
        match claimed {
            Some(claimed) => Ok(Some(UserId::trusted(get_text(&claimed, "u")?))),
            None => Ok(UserId::parse(login).ok()),
        }
    }

    /// The user whose login (an e-mail address, an nkchat login, or the user id) and password these are. It
    /// takes as long for a login that does not exist as for a wrong password.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn verify_password(&self, login: &str, password: &str) -> Result<Option<User>, Error> {
        let found = self.verified(login, password).await?;
        found.as_ref().map(|item| self.remember_user(item)).transpose()
    }

    /// The user who may log in so, as it stands in the table: first who is called exactly so and has a password,
    /// then whose login it is.
    async fn claimant(&self, login: &str) -> Result<Option<Item>, Error> {
        let Ok(exact) = UserId::parse(login) else { return Ok(None) };
        let exact = keys::user(&exact);
        let login = keys::login(login);
        let (exact, claimed) = tokio::try_join!(self.get(&exact, true), self.get(&login, true))?;
        if exact.as_ref().is_some_and(|item| item.contains_key("h")) {
            return Ok(exact);
        }
        match claimed {
            Some(claimed) => self.get(&keys::user(&UserId::trusted(get_text(&claimed, "u")?)), true).await,
            None => Ok(None),
        }
    }

    /// Whether this login, which the user is to have, is another user's: another's login, or another's id as it is
    /// spelled or in lower case. `named`: users count too whom nobody has made yet, only named.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn is_another_s_login(&self, login: &str, user: &UserId, named: bool) -> Result<bool, Error> {
        if self.has_login_of_another(login, user).await? {
            return Ok(true);
        }
        let spellings = [login.to_owned(), login.to_lowercase()];
        let ids = spellings.into_iter().filter_map(|id| UserId::parse(id).ok()).filter(|id| id != user);
        for id in ids {
            if self.user_now(&id).await?.is_some_and(|other| named || !other.implicit) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this is another user's claimed login.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn has_login_of_another(&self, login: &str, user: &UserId) -> Result<bool, Error> {
        let claimed = self.get(&keys::login(login), true).await?;
        Ok(claimed.is_some_and(|item| find_text(&item, "u") != Some(user.as_str())))
    }

    /// As [`Store::verify_password`]; the user as it stands in the table.
    pub(crate) async fn verified(&self, login: &str, password: &str) -> Result<Option<Item>, Error> {
        let found = self.claimant(login).await?;
        let hash = found.as_ref().and_then(|item| find_text(item, "h")).unwrap_or(NOBODYS_HASH).to_owned();
        let known = hash != NOBODYS_HASH;
        let password = password.to_owned();
        let _turn = HASHING.acquire().await;
        let right = tokio::task::spawn_blocking(move || {
            argon2::PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
        .map_err(|error| Error::Internal(format!("password check: {error}")))?;
        Ok(found.filter(|_| known && right))
    }
}

/// The Argon2id hash of a password, with a random salt, in PHC's string format. Takes tens of milliseconds of
/// one core, off the runtime's threads.
///
/// # Errors
/// [`Error::Internal`].
pub async fn hash_password(password: &str) -> Result<String, Error> {
    let password = password.to_owned();
    let _turn = HASHING.acquire().await;
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    });
    let hashed = hashed.await.map_err(|error| Error::Internal(format!("password hash: {error}")))?;
    hashed.map_err(|error| Error::Internal(format!("password hash: {error}")))
}

/// A hash that no password has, checked where there is no user, so that time does not tell.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3dpdGNoYm9hcmQtbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Claims the logins of a user who gets this address, or a password. Refused if one is another's.
pub(crate) fn claim(user: &User, new_email: Option<&str>, new_password: bool) -> Vec<Write> {
    let mut logins: Vec<&str> = new_email.into_iter().collect();
    // One transaction must not name an item twice.
    if new_password && new_email.is_none_or(|email| !is_id(email, &user.id)) {
        logins.push(user.id.as_str());
    }
    logins.into_iter().map(|login| claim_one(login, &user.id)).collect()
}

fn claim_one(login: &str, user: &UserId) -> Write {
    let mut line = item::keyed(&keys::login(login));
    line.insert("u".into(), text(user.as_str()));
    Write::put(line).when("attribute_not_exists(pk) OR u = :u").with(":u", text(user.as_str()))
}

/// Gives up an address. One that is also the user's id stays claimed: a password makes that a login.
pub(crate) fn give_up(email: &str, user: &UserId) -> Option<Write> {
    (!is_id(email, user)).then(|| give_up_one(email, user))
}

/// Gives up a claimed login. Refused if it is not the user's.
pub(crate) fn give_up_one(login: &str, user: &UserId) -> Write {
    Write::delete(keys::login(login)).when("u = :u").with(":u", text(user.as_str()))
}

/// Whether they are one login.
fn is_id(login: &str, user: &UserId) -> bool {
    keys::login(login) == keys::login(user.as_str())
}
