//! The fields of a profile: the same for create, update and guests.

use domain::{Error, Object, Timestamp, User, limits};
use serde::Deserialize;

/// Fields of a profile. Those that are absent stay as they are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// What others see.
    pub display_name: Option<String>,
    email: Option<String>,
    profile_image_url: Option<String>,
    profile_url: Option<String>,
    language: Option<String>,
    meta_data: Option<Object>,
    visibility: Option<bool>,
    notification: Option<bool>,
}

impl Profile {
    /// Changes the user.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::TooLarge`].
    pub fn apply(self, user: &mut User, now: Timestamp) -> Result<(), Error> {
        if let Some(name) = self.display_name {
            if name.is_empty() {
                return Err(Error::invalid("displayName", "must not be empty"));
            }
            user.name = name;
        }
        if let Some(email) = self.email {
            if email.len() > limits::ID_BYTES || !email.contains('@') || email.chars().any(char::is_control) {
                return Err(Error::invalid("email", "is no e-mail address"));
            }
            user.email = Some(email);
        }
        user.image_url = self.profile_image_url.or(user.image_url.take());
        user.profile_url = self.profile_url.or(user.profile_url.take());
        user.language = self.language.or(user.language.take());
        user.meta = self.meta_data.unwrap_or_else(|| std::mem::take(&mut user.meta));
        user.invisible = self.visibility.map_or(user.invisible, |visible| !visible);
        user.quiet = self.notification.map_or(user.quiet, |notified| !notified);
        user.updated_at = now;
        let size = serde_json::to_vec(user).map_err(|error| Error::Internal(format!("JSON: {error}")))?.len();
        if size > limits::PROFILE_BYTES {
            return Err(Error::TooLarge { what: "The profile", limit: limits::PROFILE_BYTES });
        }
        Ok(())
    }
}

/// The hash of a password that may be one.
///
/// # Errors
/// [`Error::Invalid`] for an empty or huge one.
pub async fn hash_password(password: &str) -> Result<String, Error> {
    if password.is_empty() || password.len() > limits::ID_BYTES {
        return Err(Error::invalid("password", format!("must have 1 to {} bytes", limits::ID_BYTES)));
    }
    store::login::hash_password(password).await
}
