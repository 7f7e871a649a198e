//! Members and bans of the REST.

use domain::Member;
use serde::Serialize;

/// A member.
#[derive(Debug, Clone, Serialize)]
pub struct Membership {
    user_id: String,
    username: Option<String>,
    role: &'static str,
    joined_at: String,
}

/// The member, under that name.
#[must_use]
pub fn membership(member: &Member, username: Option<String>) -> Membership {
    Membership {
        user_id: member.user.as_str().to_owned(),
        username,
        role: member.role.name(),
        joined_at: member.joined_at.to_iso(),
    }
}

/// A ban.
#[derive(Debug, Clone, Serialize)]
pub struct Ban {
    user_id: String,
    username: Option<String>,
    motive: String,
}

/// The banned, under that name.
#[must_use]
pub fn ban(member: &Member, username: Option<String>) -> Ban {
    Ban {
        user_id: member.user.as_str().to_owned(),
        username,
        motive: member.motive.clone().unwrap_or_default(),
    }
}
