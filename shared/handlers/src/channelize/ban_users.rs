//! POST /v2/conversations/{conversation_id}/ban
//!
//! Bans users from a conversation; for moderators. `expires` is a number of seconds, or a date.

use std::sync::Arc;

use domain::{Dialect, Error, UserId, limits};
use http::Method;
use serde::Deserialize;

use super::request::{Date, Request, answer, no_content, user_ids};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{create, membership},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-ban-users",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/ban",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

/// A hundred years.
const MOST_SECONDS: i64 = 3_155_760_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_ids: Option<Vec<String>>,
    expires: Option<Expiry>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expiry {
    Seconds(i64),
    At(Date),
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let users = banned(body.user_ids)?;
    let now = cx.clock.now();
    let until = match body.expires {
        None | Some(Expiry::Seconds(0)) => None,
        Some(Expiry::Seconds(seconds)) if (1..=MOST_SECONDS).contains(&seconds) => {
            Some(now.plus_seconds(seconds))
        }
        Some(Expiry::At(date)) if date.0 > now => Some(date.0),
        Some(_) => return Err(Error::invalid("expires", "is not in the future, or too far")),
    };
    let motive = body.reason.unwrap_or_default();
    membership::may_ban(&cx, &request.caller, &id, &users).await?;
    create::known_users(&cx, &request.caller, Dialect::Channelize, &users).await?;
    for user in &users {
        membership::ban(&cx, &request.caller, Dialect::Channelize, &id, user, &motive, until).await?;
    }
    no_content()
}

/// The users to be banned, or no longer: one at least.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn banned(ids: Option<Vec<String>>) -> Result<Vec<UserId>, Error> {
    let users = user_ids("userIds", ids.unwrap_or_default())?;
    if users.is_empty() || users.len() > limits::TARGETS_PER_CALL {
        return Err(Error::invalid("userIds", format!("must have 1 to {} ids", limits::TARGETS_PER_CALL)));
    }
    Ok(users)
}
