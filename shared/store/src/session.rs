//! Sessions: what a browser's cookie stands for. The cookie holds a random secret; the table holds the secret's
//! digest, so that who reads the table can open no session. A session that was closed is gone at once.

use std::fmt::Write as _;

use domain::{Error, Timestamp, UserId};
use sha2::{Digest as _, Sha256};

use crate::{
    Store, Write,
    item::{self, get_text, is_over, number, text},
    keys, schema,
};

/// How long a session lasts, in seconds: thirty days.
pub const LIFETIME_SECONDS: i64 = 30 * 86_400;
/// Random words of 64 bits that make a secret.
const WORDS: usize = 4;

impl Store {
    /// Opens a session of the user, and says its secret: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn open_session(&self, user: &UserId, now: Timestamp) -> Result<String, Error> {
        let mut secret = String::with_capacity(16 * WORDS);
        for _ in 0..WORDS {
            let _ = write!(secret, "{:016x}", crate::random()?);
        }
        let mut item = item::keyed(&keys::session(&digest(&secret)));
        item.insert("u".into(), text(user.as_str()));
        item.insert(schema::TTL.into(), number(now.plus_seconds(LIFETIME_SECONDS).seconds()));
        self.write_one(Write::put(item)).await?;
        Ok(secret)
    }

    /// Whose session the secret opens; none if there is none, or it is over.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn session(&self, secret: &str, now: Timestamp) -> Result<Option<UserId>, Error> {
        // Consistent: a session that was closed is not seen again.
        let Some(found) = self.get(&keys::session(&digest(secret)), true).await? else { return Ok(None) };
        if is_over(&found, now) {
            return Ok(None);
        }
        get_text(&found, "u").map(UserId::trusted).map(Some)
    }

    /// Closes a session. Closing one that is closed is no error.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn close_session(&self, secret: &str) -> Result<(), Error> {
        self.write_one(Write::delete(keys::session(&digest(secret)))).await.map(|_| ())
    }
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
