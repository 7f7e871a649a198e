//! POST /v2/users
//!
//! Makes a user; for the application's server and admins. Somebody who came into being by a token or by being
//! named gets the profile.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error, User, UserId};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    channelize::profile::{Profile, hash_password},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::user::check_logins,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-create-user",
    Dialect::Channelize,
    Method::POST,
    "/v2/users",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    id: Option<String>,
    password: Option<String>,
    #[serde(flatten)]
    profile: Profile,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    if !request.caller.powerful {
        return Err(Error::Forbidden("Only the application's server makes users."));
    }
    let body: Body = request.body()?;
    let name = body.profile.display_name.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::invalid("displayName", "is required"))?;
    let id = body
        .id
        .clone()
        .map_or_else(|| Ok(UserId::trusted(uuid::Uuid::new_v4().to_string())), UserId::parse)?;
    let now = cx.clock.now();
    let hash = match &body.password {
        Some(password) => Some(hash_password(password).await?),
        None => None,
    };
    let before = cx.store.user_now(&id).await?;
    let mut user = match &before {
        Some(known) if known.implicit => User { implicit: false, ..known.clone() },
        Some(_) => return Err(Error::Exists("A user with this id")),
        None => User::new(id, cx.store.draw_user_number().await?, now),
    };
    user.name = name;
    body.profile.apply(&mut user, now)?;
    check_logins(&cx, &user).await?;
    let done = match &before {
        Some(before) => cx.store.update_user(before, &user, hash.as_deref()).await?,
        None => cx.store.create_user(&user, hash.as_deref()).await?,
    };
    if !done {
        return Err(Error::Exists("A user with this id or login"));
    }
    reply(StatusCode::CREATED, &user::full(&user, true, false))
}
