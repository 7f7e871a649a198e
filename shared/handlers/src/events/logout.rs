//! POST /api/v1/logout
//!
//! Ends the session, and takes its cookie away. The user's sockets are closed: those of other sessions come back
//! by themselves.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, header};

use super::{
    request::{Request, answer, done},
    session,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-logout",
    Dialect::Events,
    Method::POST,
    "/api/v1/logout",
    &[
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| answer(cx, call, handle),
);

pub(super) async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    request.no_malformed_body()?;
    if let Some(secret) = &request.session {
        cx.store.close_session(secret).await?;
        let open = cx.store.connections(request.caller.user()?, cx.clock.now()).await?;
        for connection in open.iter().filter(|connection| connection.dialect == Dialect::Events) {
            cx.gateway.close(Dialect::Events, &connection.id).await;
        }
    }
    let cookie = session::set_cookie(request.headers(), None)?;
    Ok(done()?.with(header::SET_COOKIE, cookie))
}
