//! POST /v2/users/verify_access_token
//!
//! Who an access token belongs to.

use std::sync::Arc;

use dialects::channelize::user::{self, AccessToken};
use domain::{Dialect, Error};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer_anybody, reply};
use crate::{
    auth,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-verify-access-token",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/verify_access_token",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer_anybody(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    access_token: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let token = body.access_token.ok_or_else(|| Error::invalid("accessToken", "is required"))?;
    let now = cx.clock.now();
    let (id, claims) = auth::verify(&cx.secrets, &token, now).await?;
    let user = cx.store.ensure_user(&id, now).await?;
    let ttl = claims.exp - now.seconds();
    reply(
        StatusCode::OK,
        &AccessToken {
            id: &token,
            ttl,
            created: now.to_iso(),
            user_id: &id,
            user: user::full(&user, true, false),
        },
    )
}
