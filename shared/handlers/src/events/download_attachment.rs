//! GET /api/v1/attachments/{attachmentId}/{fileName}
//!
//! The bytes of an attachment, to be saved under its name. What another dialect attached is kept elsewhere, and
//! the browser is sent there.

use std::sync::Arc;

use dialects::events::attachment;
use domain::{Dialect, Error, Object};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    get_attachment::{NO_ATTACHMENT, find},
    request::{Request, answer},
};
use crate::{
    attachments,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-download-attachment",
    Dialect::Events,
    Method::GET,
    "/api/v1/attachments/{attachmentId}/{fileName}",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message, index) = request.attachment(&cx).await?;
    let object = find(&message, index)?;
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    if !attachment::is_upload(object) {
        let url = text("fileUrl").filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        let location =
            HeaderValue::from_str(url.ok_or(NO_ATTACHMENT)?).map_err(|_not_ascii| NO_ATTACHMENT)?;
        return Ok(HttpReply::empty(StatusCode::FOUND).with(header::LOCATION, location));
    }
    let name = text("id").and_then(|id| attachments::name(message.place, id)).ok_or(NO_ATTACHMENT)?;
    let bytes = cx.attachments.get(name).await?.ok_or(NO_ATTACHMENT)?;
    let mut reply = HttpReply::empty(StatusCode::OK);
    reply.body = bytes;
    for (name, value) in fields(object, text("mimeType").unwrap_or_default())? {
        reply.headers.insert(name, value);
    }
    Ok(reply)
}

/// Header fields that let a browser save the file, and run nothing of it.
fn fields(object: &Object, mime_type: &str) -> Result<[(HeaderName, HeaderValue); 4], Error> {
    let name = attachment::file_name(object);
    let plain = |one: char| if one.is_ascii_alphanumeric() || " .-_()".contains(one) { one } else { '_' };
    let disposition = format!(
        "attachment; filename=\"{}\"; filename*=UTF-8''{}",
        name.chars().map(plain).collect::<String>(),
        utf8_percent_encode(&name, NON_ALPHANUMERIC),
    );
    let disposition = HeaderValue::from_str(&disposition)
        .map_err(|error| Error::Internal(format!("a file's name: {error}")))?;
    let kind = HeaderValue::from_str(mime_type).ok().filter(|kind| !kind.is_empty());
    Ok([
        (header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream"))),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox")),
    ])
}
