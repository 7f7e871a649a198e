//! PUT /v2/users/{user_id}
//!
//! Changes a profile: one's own, or anybody's by the application's server and admins.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error, User};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    channelize::profile::{Profile, hash_password},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::user::{OTHER_S_LOGIN, check_address},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-update-user",
    Dialect::Channelize,
    Method::PUT,
    "/v2/users/{user_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    password: Option<String>,
    #[serde(flatten)]
    profile: Profile,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.named_user()?;
    if !request.caller.powerful && request.caller.user.as_ref() != Some(&id) {
        return Err(Error::Forbidden("Only the user may change this profile."));
    }
    let body: Body = request.body()?;
    let before = cx.store.user_now(&id).await?.ok_or(Error::NotFound("User"))?;
    let mut after = User { implicit: false, ..before.clone() };
    body.profile.apply(&mut after, cx.clock.now())?;
    if after.email != before.email {
        check_address(&cx, &after).await?;
    }
    let hash = match &body.password {
        Some(password) => Some(hash_password(password).await?),
        None => None,
    };
    if !cx.store.update_user(&before, &after, hash.as_deref()).await? {
        return Err(OTHER_S_LOGIN);
    }
    reply(StatusCode::OK, &user::full(&after, true, false))
}
