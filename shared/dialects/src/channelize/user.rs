//! Users: the short form beside a message, and the whole one.

use domain::{Object, User, UserId};
use serde::Serialize;

use super::Scene;

/// A user beside something else.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Brief {
    id: UserId,
    display_name: String,
    profile_image_url: Option<String>,
}

/// The short form of a user. One who is not known any more is shown by the id.
#[must_use]
pub fn brief(id: &UserId, scene: &Scene) -> Brief {
    match scene.users.get(id) {
        Some(user) => brief_of(user),
        None => Brief { id: id.clone(), display_name: id.as_str().to_owned(), profile_image_url: None },
    }
}

/// The short form of a user.
#[must_use]
pub fn brief_of(user: &User) -> Brief {
    Brief { id: user.id.clone(), display_name: user.name.clone(), profile_image_url: user.image_url.clone() }
}

/// A user, whole.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Full<'a> {
    id: &'a UserId,
    display_name: &'a str,
    email: Option<&'a str>,
    language: Option<&'a str>,
    profile_image_url: Option<&'a str>,
    profile_url: Option<&'a str>,
    meta_data: &'a Object,
    is_online: bool,
    last_seen: Option<String>,
    visibility: bool,
    notification: bool,
    role: &'static str,
    is_deleted: bool,
    is_active: bool,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
}

/// A user as everybody may see it; with the e-mail address for the user and the application's server.
#[must_use]
pub fn full(user: &User, private: bool, online: bool) -> Full<'_> {
    Full {
        id: &user.id,
        display_name: &user.name,
        email: user.email.as_deref().filter(|_| private),
        language: user.language.as_deref(),
        profile_image_url: user.image_url.as_deref(),
        profile_url: user.profile_url.as_deref(),
        meta_data: &user.meta,
        is_online: online && !user.invisible,
        last_seen: None,
        visibility: !user.invisible,
        notification: !user.quiet,
        role: if user.guest { "guest" } else { "user" },
        is_deleted: false,
        is_active: true,
        created_at: user.created_at.to_iso(),
        updated_at: user.updated_at.to_iso(),
        access_token: None,
    }
}

/// A guest, with the token that the guest is known by.
#[must_use]
pub fn guest<'a>(user: &'a User, token: &'a str) -> Full<'a> {
    Full { access_token: Some(token), ..full(user, true, false) }
}

/// An access token: `{id(=token), ttl, created, userId, user}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken<'a> {
    /// The token itself.
    pub id: &'a str,
    /// Seconds it is good for.
    pub ttl: i64,
    /// When it was made.
    pub created: String,
    /// Whose it is.
    pub user_id: &'a UserId,
    /// Whose it is.
    pub user: Full<'a>,
}
