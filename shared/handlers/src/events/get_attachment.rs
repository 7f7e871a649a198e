//! GET /api/v1/attachments/{attachmentId}
//!
//! What is known of an attachment, as messages tell it.

use std::sync::Arc;

use dialects::events::attachment;
use domain::{Dialect, Error, Message, Object};
use http::Method;

use super::request::{Request, answer, bare};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-attachment",
    Dialect::Events,
    Method::GET,
    "/api/v1/attachments/{attachmentId}",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

/// What it is called when an attachment is not there.
pub const NO_ATTACHMENT: Error = Error::NotFound("Attachment");

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message, index) = request.attachment(&cx).await?;
    let object = find(&message, index)?;
    bare(&attachment::show(&message, index, object).ok_or(NO_ATTACHMENT)?)
}

/// The attachment of a message.
///
/// # Errors
/// [`Error::NotFound`].
pub fn find(message: &Message, index: u64) -> Result<&Object, Error> {
    let mut all = message.content.attachments.iter().enumerate();
    let found = all.find(|(position, object)| attachment::index(*position, object) == index);
    found.map(|(_, object)| object).ok_or(NO_ATTACHMENT)
}
