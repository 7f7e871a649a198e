//! POST /api/v1/messages/{messageId}/attachments
//!
//! Attaches the files of a form's field `files` to a message of one's own. All of them, or none.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use dialects::events::{
    attachment::{self, Handle, Upload},
    multipart,
};
use domain::{Dialect, Error, Message, message::Content};
use http::{Method, header};
use sha1::{Digest as _, Sha1};

use super::request::{Request, answer, done};
use crate::{
    attachments::{self, FILE_BYTES},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-upload-attachments",
    Dialect::Events,
    Method::POST,
    "/api/v1/messages/{messageId}/attachments",
    &[
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::DeleteObject,
        Action::PutObject,
    ],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message) = request.message(&cx).await?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let files = multipart::files(content_type.unwrap_or_default(), request.bytes(), "files")?;
    if request.caller.user.as_ref() != Some(&message.author) && !request.caller.powerful {
        return Err(Error::Forbidden("Only its author may attach files to a message."));
    }
    let uploads = keep(&cx, &message, &files).await?;
    let attach = |content: &mut Content| attach(content, &message, &uploads);
    let edited = messages::edit(&cx, &request.caller, Dialect::Events, &message.id, attach).await;
    let taken = edited.as_ref().is_ok_and(|edited| has_all(&edited.content, &uploads));
    if !taken {
        for upload in &uploads {
            remove(&cx, &message, &upload.id).await?;
        }
        edited?;
        return Err(Error::invalid("files", "are more than a message can have"));
    }
    done()
}

/// Keeps the files' bytes, all of them or none, and says how the message is to know them.
async fn keep(cx: &Context, message: &Message, files: &[multipart::File<'_>]) -> Result<Vec<Upload>, Error> {
    if files.iter().any(|file| file.bytes.len() > FILE_BYTES) {
        return Err(Error::TooLarge { what: "The file", limit: FILE_BYTES });
    }
    let mut uploads: Vec<Upload> = Vec::with_capacity(files.len());
    for file in files {
        let upload = upload(cx, file);
        if let Some(name) = attachments::name(message.place, &upload.id)
            && let Err(error) = cx.attachments.put(name, Bytes::copy_from_slice(file.bytes)).await
        {
            for kept in &uploads {
                // What cannot be thrown away now is named by no message.
                let _ = remove(cx, message, &kept.id).await;
            }
            return Err(error);
        }
        uploads.push(upload);
    }
    Ok(uploads)
}

/// A file as messages know it, but for its place in one.
fn upload(cx: &Context, file: &multipart::File<'_>) -> Upload {
    let mut checksum = String::with_capacity(40);
    for byte in Sha1::digest(file.bytes) {
        let _ = write!(checksum, "{byte:02x}");
    }
    Upload {
        id: uuid::Uuid::new_v4().to_string(),
        kind: Upload::kind_of(&file.mime_type),
        name: file.name.clone(),
        file_url: String::new(),
        size: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        mime_type: file.mime_type.clone(),
        checksum,
        created_at: cx.clock.now().millis(),
        index: 0,
    }
}

/// Adds the files to a message, if it has room for all of them.
fn attach(content: &mut Content, message: &Message, uploads: &[Upload]) {
    let mut attachments = content.attachments.clone();
    for upload in uploads {
        let Some(index) = attachment::next_index(&attachments) else { return };
        let Some(packed) = (Handle { place: message.place, index }).packed() else { return };
        let name = percent_encoding::utf8_percent_encode(&upload.name, percent_encoding::NON_ALPHANUMERIC);
        let file_url = format!("/api/v1/attachments/{packed}/{name}");
        attachments.push(Upload { index, file_url, ..upload.clone() }.object());
    }
    content.attachments = attachments;
}

fn has_all(content: &Content, uploads: &[Upload]) -> bool {
    let has = |upload: &Upload| {
        content.attachments.iter().any(|one| one.get("id").and_then(|id| id.as_str()) == Some(&upload.id))
    };
    uploads.iter().all(has)
}

/// Throws the bytes of a message's file away.
///
/// # Errors
/// [`Error::Internal`].
pub async fn remove(cx: &Context, message: &Message, id: &str) -> Result<(), Error> {
    match attachments::name(message.place, id) {
        Some(name) => cx.attachments.remove(name).await,
        None => Ok(()),
    }
}

/// Throws the bytes of all files of a message away that were uploaded here.
///
/// # Errors
/// [`Error::Internal`].
pub async fn remove_all(cx: &Context, message: &Message) -> Result<(), Error> {
    for object in message.content.attachments.iter().filter(|one| attachment::is_upload(one)) {
        if let Some(id) = object.get("id").and_then(|id| id.as_str()) {
            remove(cx, message, id).await?;
        }
    }
    Ok(())
}
