//! A user, as the list of users tells it.

use domain::User;
use serde::Serialize;

/// A user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    created_utc: i64,
    display_name: &'a str,
    is_admin: bool,
    last_modified_utc: i64,
    status: &'static str,
    user_id: u64,
    user_name: &'a str,
}

/// A user. The name is the user's id; who is an admin only the user's own token says.
#[must_use]
pub fn user(user: &User, is_admin: bool) -> Wire<'_> {
    Wire {
        created_utc: user.created_at.millis(),
        display_name: &user.name,
        is_admin,
        last_modified_utc: user.updated_at.millis(),
        status: "Active",
        user_id: user.number.0,
        user_name: user.id.as_str(),
    }
}
