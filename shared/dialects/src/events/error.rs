//! Errors: `{"errorText":…,"httpStatusCode":…}`.

use domain::Error;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error_text: &'a str,
    http_status_code: u16,
}

/// The status and body of an error.
#[must_use]
pub fn encode(error: &Error) -> (u16, Vec<u8>) {
    let http_status_code = match error {
        Error::Invalid { .. } => 400,
        Error::Unauthenticated(_) => 401,
        Error::Forbidden(_) => 403,
        Error::NotFound(_) => 404,
        Error::Exists(_) | Error::Conflict(_) => 409,
        Error::TooLarge { .. } => 413,
        Error::Internal(_) => 500,
        Error::Busy => 503,
    };
    let error_text = match error {
        Error::Internal(_) => "Internal server error".to_owned(),
        Error::NotFound("Conversation") => "Room not found".to_owned(),
        other => other.to_string(),
    };
    let body = Body { error_text: &error_text, http_status_code };
    (http_status_code, serde_json::to_vec(&body).unwrap_or_default())
}
