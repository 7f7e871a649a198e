//! DELETE /channels/{channel_id}/members/{user_id}
//!
//! Leaves a channel, or removes somebody of a lower role from it. Doing it again is no error.

use std::sync::Arc;

use domain::{Dialect, Error, entry::Departure};
use http::Method;

use super::{
    request::{Request, answer, no_content},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-remove-member",
    Dialect::Channels,
    Method::DELETE,
    "/channels/{channel_id}/members/{user_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, user) = (request.channel()?, request.named_user()?);
    let caller = &request.caller;
    let standing = show::standing(&cx, &id, &user).await?;
    let was_member = standing.as_ref().is_some_and(|one| one.joined.0 > 0);
    let own = caller.user.as_ref() == Some(&user);
    if own && was_member && standing.is_some_and(|one| !one.is_active()) {
        return no_content();
    }
    let how = if own { Departure::Left } else { Departure::Removed };
    membership::remove(&cx, caller, Dialect::Channels, &id, &[user], how).await?;
    if was_member { no_content() } else { Err(Error::NotFound("Member")) }
}
