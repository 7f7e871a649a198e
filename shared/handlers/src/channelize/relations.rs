//! Friends and blocks: what their endpoints share.

use domain::{Dialect, Error, User, UserId};
use serde::Deserialize;
use store::user::Relation;

use super::request::Request;
use crate::{context::Context, operations::create::known_users};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: Option<String>,
    /// 1: one way; 2: both ways.
    r#type: Option<i64>,
}

/// The other user that the body names, who exists and is not the caller.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NotFound`].
pub async fn other(cx: &Context, request: &Request) -> Result<UserId, Error> {
    let body: Body = request.body()?;
    let id = UserId::parse(body.user_id.ok_or_else(|| Error::invalid("userId", "is required"))?)?;
    if id == *request.caller.user()? {
        return Err(Error::invalid("userId", "is the caller"));
    }
    known_users(cx, &request.caller, Dialect::Channelize, std::slice::from_ref(&id)).await?;
    Ok(id)
}

/// Begins or ends a relation of the caller to the user that the body names.
///
/// # Errors
/// As [`other`].
pub async fn relate(cx: &Context, request: &Request, relation: Relation, on: bool) -> Result<(), Error> {
    let other = other(cx, request).await?;
    let own = request.caller.user()?;
    let both = match request.body::<Body>()?.r#type {
        _ if relation == Relation::Block => false,
        None | Some(2) => true,
        Some(1) => false,
        Some(_) => return Err(Error::invalid("type", "must be 1 or 2")),
    };
    let now = cx.clock.now();
    cx.store.set_relation(own, relation, &other, on, now).await?;
    if both {
        cx.store.set_relation(&other, relation, own, on, now).await?;
    }
    Ok(())
}

/// The users that the caller has this relation to; `search` finds a part of the name.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn related(cx: &Context, request: &Request, relation: Relation) -> Result<Vec<User>, Error> {
    let ids = cx.store.relations(request.caller.user()?, relation).await?;
    let search = request.query("search").map(str::to_lowercase);
    let mut users = cx.store.users(ids).await?;
    users.retain(|user| search.as_ref().is_none_or(|search| user.name.to_lowercase().contains(search)));
    Ok(users)
}
