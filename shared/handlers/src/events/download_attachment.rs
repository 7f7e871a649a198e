//! GET /api/v1/attachments/{attachmentId}/{fileName}
//!
//! The bytes of an attachment, to be saved under its name. What is kept elsewhere (in a bucket of S3, or by
//! another dialect's application) is fetched there: the browser is sent on.

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
    attachments::{self, File},
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
    &[Action::GetItem, Action::PutItem, Action::UpdateItem, Action::GetObject],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message, index) = request.attachment(&cx).await?;
    let object = find(&message, index)?;
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    if !attachment::is_upload(object) {
        let url = text("fileUrl").filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        return found_at(url.ok_or(NO_ATTACHMENT)?);
    }
    let name = text("id").and_then(|id| attachments::name(message.place, id)).ok_or(NO_ATTACHMENT)?;
    let kind = text("mimeType").filter(|kind| !kind.is_empty() && HeaderValue::from_str(kind).is_ok());
    let kind = kind.unwrap_or("application/octet-stream");
    let disposition = disposition(object);
    match cx.attachments.get(name, kind, &disposition).await?.ok_or(NO_ATTACHMENT)? {
        // The URL is a key for some minutes: nobody may keep it.
        File::At(url) => {
            Ok(found_at(&url)?.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        }
        File::Bytes(bytes) => {
            let mut reply = HttpReply::empty(StatusCode::OK);
            reply.body = bytes;
            for (name, value) in fields(kind, &disposition)? {
                reply.headers.insert(name, value);
            }
            Ok(reply)
        }
    }
}

fn found_at(url: &str) -> Result<HttpReply, Error> {
    let location = HeaderValue::from_str(url).map_err(|_not_ascii| NO_ATTACHMENT)?;
    Ok(HttpReply::empty(StatusCode::FOUND).with(header::LOCATION, location))
}

/// It is to be saved, under its name.
fn disposition(object: &Object) -> String {
    let name = attachment::file_name(object);
    let plain = |one: char| if one.is_ascii_alphanumeric() || " .-_()".contains(one) { one } else { '_' };
    format!(
        "attachment; filename=\"{}\"; filename*=UTF-8''{}",
        name.chars().map(plain).collect::<String>(),
        utf8_percent_encode(&name, NON_ALPHANUMERIC),
    )
}

/// Header fields that let a browser save the file, and run nothing of it.
fn fields(kind: &str, disposition: &str) -> Result<[(HeaderName, HeaderValue); 4], Error> {
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|error| Error::Internal(format!("a file's header: {error}")))
    };
    Ok([
        (header::CONTENT_TYPE, value(kind)?),
        (header::CONTENT_DISPOSITION, value(disposition)?),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox")),
    ])
}
