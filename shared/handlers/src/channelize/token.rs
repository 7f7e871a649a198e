//! Access tokens: user tokens that this dialect hands out.

use dialects::channelize::user::{self, AccessToken};
use domain::{Error, User};
use http::StatusCode;

use super::request;
use crate::{
    auth::{self, Claims},
    context::Context,
    invocation::HttpReply,
};

/// Fourteen days, as on the original.
const TTL_SECONDS: i64 = 1_209_600;

/// A token of the user.
///
/// # Errors
/// [`Error::Internal`].
pub fn mint(cx: &Context, user: &User) -> Result<String, Error> {
    let exp = cx.clock.now().plus_seconds(TTL_SECONDS).seconds();
    auth::mint(&cx.secrets.token_key, &Claims { sub: user.id.as_str().to_owned(), exp, admin: false })
}

/// A reply with a new token of the user.
///
/// # Errors
/// [`Error::Internal`].
pub fn reply(cx: &Context, status: StatusCode, user: &User) -> Result<HttpReply, Error> {
    let token = mint(cx, user)?;
    request::reply(
        status,
        &AccessToken {
            id: &token,
            ttl: TTL_SECONDS,
            created: cx.clock.now().to_iso(),
            user_id: &user.id,
            user: user::full(user, true, false),
        },
    )
}
