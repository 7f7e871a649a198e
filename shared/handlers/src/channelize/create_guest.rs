//! POST /v2/users/create_guest
//!
//! Makes a guest, with a token.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error, User, UserId};
use http::{Method, StatusCode};

use super::request::{Request, answer_anybody, reply};
use crate::{
    channelize::{profile::Profile as Body, token},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-create-guest",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/create_guest",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer_anybody(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let name = body.display_name.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::invalid("displayName", "is required"))?;
    let now = cx.clock.now();
    let id = UserId::trusted(format!("guest-{}", uuid::Uuid::new_v4()));
    let mut user = User { guest: true, name, ..User::new(id, cx.store.draw_user_number().await?, now) };
    body.apply(&mut user, now)?;
    // A guest has no login.
    user.email = None;
    if !cx.store.create_user(&user, None).await? {
        return Err(Error::Internal("a minted user id is taken".into()));
    }
    let token = token::mint(&cx, &user)?;
    reply(StatusCode::CREATED, &user::guest(&user, &token))
}
