//! Logins and passwords: what proves who somebody is.

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

    /// As [`Store::verify_password`]; the user as it stands in the table.
    pub(crate) async fn verified(&self, login: &str, password: &str) -> Result<Option<Item>, Error> {
        let id = self.user_named(login).await?;
        let found = match &id {
            Some(id) => self.get(&keys::user(id), true).await?,
            None => None,
        };
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

pub(crate) fn claim_login(login: &str, user: &UserId) -> Write {
    let mut line = item::keyed(&keys::login(login));
    line.insert("u".into(), text(user.as_str()));
    Write::put(line).when("attribute_not_exists(pk) OR u = :u").with(":u", text(user.as_str()))
}
