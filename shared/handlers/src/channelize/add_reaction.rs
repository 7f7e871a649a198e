//! POST /v2/messages/{message_id}/add_reaction
//!
//! Adds the caller's reaction to a message. Seed 003, Add Reaction.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Change},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-add-reaction",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/{message_id}/add_reaction",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

/// `{"type":"like"}`
#[derive(Deserialize)]
pub(super) struct Reaction {
    r#type: Option<String>,
}

impl Reaction {
    /// The reaction's type.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is missing.
    pub(super) fn kind(self) -> Result<String, Error> {
        self.r#type.ok_or_else(|| Error::invalid("type", "is required"))
    }
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.message()?;
    let body: Reaction = request.body()?;
    let change = Change::React(body.kind()?);
    messages::change(&cx, &request.caller, Dialect::Channelize, &id, change).await?;
    no_content()
}
