//! POST /v2/users/login
//!
//! A token for who proves to be a user: by e-mail address (or user id) and password, or by user id and
//! `pmClientServerToken`, which is a user token of that user.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer_anybody};
use crate::{
    auth,
    channelize::token,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-login",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/login",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer_anybody(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    authentication_type: i64,
    email: Option<String>,
    password: Option<String>,
    user_id: Option<String>,
    pm_client_server_token: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let refused = Error::Unauthenticated("login failed");
    let user = match (body.authentication_type, body) {
        (1, Body { email: Some(email), password: Some(password), .. }) => {
            cx.store.verify_password(&email, &password).await?.ok_or(refused)?
        }
        (0, Body { user_id: Some(id), pm_client_server_token: Some(token), .. }) => {
            let now = cx.clock.now();
            let (proved, _) = auth::verify(&cx.secrets, &token, now).await?;
            if proved.as_str() != id {
                return Err(refused);
            }
            cx.store.ensure_user(&proved, now).await?
        }
        (0, _) => return Err(Error::invalid("userId", "and `pmClientServerToken` are required")),
        (1, _) => return Err(Error::invalid("email", "and `password` are required")),
        _ => return Err(Error::invalid("authenticationType", "must be 0 or 1")),
    };
    token::reply(&cx, StatusCode::OK, &user)
}
