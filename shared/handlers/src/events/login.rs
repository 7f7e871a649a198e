//! POST /api/v1/login
//!
//! Opens a session for who knows the password: by user id, e-mail address or nkchat login. How long the check
//! of a password takes is the only brake on guessing.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, header};
use serde::{Deserialize, Serialize};

use super::{
    request::{Request, answer_anybody, reply},
    session,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-login",
    Dialect::Events,
    Method::POST,
    "/api/v1/login",
    &[Action::GetItem, Action::PutItem],
    |cx, call| answer_anybody(cx, call, handle),
);

/// Bytes of a password that are looked at; a longer one is wrong.
const PASSWORD_BYTES: usize = 1_024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_name: String,
    password: String,
}

/// Who is signed in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn<'a> {
    /// The user's number.
    pub user_id: u64,
    /// The session's secret, which the cookie holds too; empty where it is no session.
    pub user_session_id: &'a str,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    const WRONG: Error = Error::Unauthenticated("The username or password is invalid.");
    let body: Body = request.body()?;
    if body.password.len() > PASSWORD_BYTES || body.user_name.is_empty() {
        return Err(WRONG);
    }
    let opened = cx.store.open_session(&body.user_name, &body.password, cx.clock.now()).await?;
    let (user, secret) = opened.ok_or(WRONG)?;
    let cookie = session::set_cookie(request.headers(), Some(&secret))?;
    let signed_in = SignedIn { user_id: user.number.0, user_session_id: &secret };
    Ok(reply(&signed_in)?.with(header::SET_COOKIE, cookie))
}
