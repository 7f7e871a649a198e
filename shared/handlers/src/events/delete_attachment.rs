//! DELETE /api/v1/attachments/{attachmentId}
//!
//! Takes an attachment off a message of one's own. What another dialect attached goes with its message only.

use std::sync::Arc;

use dialects::events::attachment;
use domain::{Dialect, Error, message::Content};
use http::Method;

use super::{
    get_attachment::find,
    request::{Request, answer, done},
    upload_attachments::remove,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-delete-attachment",
    Dialect::Events,
    Method::DELETE,
    "/api/v1/attachments/{attachmentId}",
    &[
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::DeleteObject,
    ],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message, index) = request.attachment(&cx).await?;
    let object = find(&message, index)?;
    if !attachment::is_upload(object) {
        return Err(Error::Forbidden("What was attached elsewhere is deleted with its message."));
    }
    let gone = object.clone();
    let detach = |content: &mut Content| content.attachments.retain(|one| *one != gone);
    messages::edit(&cx, &request.caller, Dialect::Events, &message.id, detach).await?;
    if let Some(id) = gone.get("id").and_then(|id| id.as_str()) {
        remove(&cx, &message, id).await?;
    }
    done()
}
