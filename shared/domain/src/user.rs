//! A user.

use serde::{Deserialize, Serialize};

use crate::{Number, Object, Timestamp, UserId};

/// Somebody who writes and reads. What proves it (password hash, sessions) is not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The number, for the dialect that names users so.
    pub number: Number,
    /// What others see; the id until it is set.
    pub name: String,
    /// The last part of the name, where the user was made with a surname of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    /// The e-mail address, which is also a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the profile's picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Where the profile is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// The language, as the application names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The application's own fields.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub meta: Object,
    /// Wants to be shown as online or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
    /// Wants no notifications at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Whether it is a guest, made without an account of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// It exists only because somebody was called so: nobody has made it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implicit: bool,
    /// Nobody has been told that there is this user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// A user of whom only the id is known.
    #[must_use]
    pub fn new(id: UserId, number: Number, now: Timestamp) -> Self {
        Self {
            name: id.as_str().to_owned(),
            id,
            number,
            surname: None,
            email: None,
            image_url: None,
            profile_url: None,
            language: None,
            meta: Object::new(),
            invisible: false,
            quiet: false,
            guest: false,
            implicit: false,
            untold: false,
            created_at: now,
            updated_at: now,
        }
    }
}
