//! Sessions: what a browser's cookie stands for. The cookie holds a random secret; the table holds the secret's
//! digest, so that who reads the table can open no session. A session that was closed is gone at once.
//!
//! A session is of one life of a user, and of the password that opened it: it is over at once when the user is
//! removed, whoever comes by that id later, and when the password is another.

use std::fmt::Write as _;

use domain::{Error, Number, Timestamp, User, UserId};
use sha2::{Digest as _, Sha256};

use crate::{
    Item, Store, Write,
    item::{self, find_number, find_text, get_text, is_over, number, text},
    keys, schema,
};

/// How long a session lasts, in seconds: thirty days.
pub const LIFETIME_SECONDS: i64 = 30 * 86_400;
/// Random words of 64 bits that make a secret.
const WORDS: usize = 4;
/// Hexadecimal digits that a session keeps of the digest of its user's password hash.
const PASSWORD_DIGITS: usize = 32;

impl Store {
    /// Opens a session of the user whose login and password these are, and says its secret: 64 hexadecimal digits.
    /// None if they are nobody's; see [`Store::verify_password`].
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn open_session(
        &self,
        login: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<(User, String)>, Error> {
        let Some(found) = self.verified(login, password).await? else { return Ok(None) };
        let user = self.remember_user(&found)?;
        let mut secret = String::with_capacity(16 * WORDS);
        for _ in 0..WORDS {
            let _ = write!(secret, "{:016x}", crate::random()?);
        }
        let mut item = item::keyed(&keys::session(&digest(&secret)));
        item.insert("u".into(), text(user.id.as_str()));
        item.insert("n".into(), number(user.number));
        // Of the very hash that was checked: if the password is changed meanwhile, this session is over.
        item.insert("h".into(), text(password_digest(&found)));
        item.insert(schema::TTL.into(), number(now.plus_seconds(LIFETIME_SECONDS).seconds()));
        self.write_one(Write::put(item)).await?;
        Ok(Some((user, secret)))
    }

    /// Whose session the secret opens; none if there is none, it is over, or its user is gone or has another
    /// password.
    ///
    /// The user is read consistently beside it, though a process may remember one: a session that was to end must
    /// not live on for as long as a process remembers. The process remembers what was read.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn session(&self, secret: &str, now: Timestamp) -> Result<Option<UserId>, Error> {
        // Consistent: a session that was closed is not seen again.
        let Some(session) = self.get(&keys::session(&digest(secret)), true).await? else { return Ok(None) };
        if is_over(&session, now) {
            return Ok(None);
        }
        let id = UserId::trusted(get_text(&session, "u")?);
        let Some(found) = self.get(&keys::user(&id), true).await? else {
            self.users.remove(&id);
            return Ok(None);
        };
        let user = self.remember_user(&found)?;
        // One without them was opened before sessions kept them, and is over.
        let same_life = find_number(&session, "n").map(Number) == Some(user.number);
        let same_password = find_text(&session, "h") == Some(password_digest(&found).as_str());
        Ok((same_life && same_password).then_some(id))
    }

    /// Closes a session. Closing one that is closed is no error.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn close_session(&self, secret: &str) -> Result<(), Error> {
        self.write_one(Write::delete(keys::session(&digest(secret)))).await.map(|_| ())
    }
}

/// What changes with a user's password, and says nothing of it: the salted hash stays where it is.
fn password_digest(user: &Item) -> String {
    let mut digest = digest(find_text(user, "h").unwrap_or_default());
    digest.truncate(PASSWORD_DIGITS);
    digest
}

fn digest(secret: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256_in_hexadecimal() {
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
