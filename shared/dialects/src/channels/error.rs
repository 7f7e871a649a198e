//! Errors: RFC 9457 problem details over REST, `{"type":"error",…}` on the socket.

use domain::{Error, Timestamp};
use serde::Serialize;

use super::event;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
}

/// The media type of [`problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The status, the status' own title, and the code.
const fn meaning(error: &Error) -> (u16, &'static str, &'static str) {
    match error {
        Error::Invalid { .. } => (400, "Bad Request", "invalid_request"),
        Error::TooLarge { .. } => (413, "Content Too Large", "too_large"),
        Error::Unauthenticated(_) => (401, "Unauthorized", "unauthenticated"),
        Error::Forbidden(_) => (403, "Forbidden", "forbidden"),
        Error::NotFound(_) => (404, "Not Found", "not_found"),
        Error::Exists(_) => (409, "Conflict", "already_exists"),
        Error::Conflict(_) => (409, "Conflict", "conflict"),
        Error::Busy => (503, "Service Unavailable", "busy"),
        Error::Internal(_) => (500, "Internal Server Error", "internal_error"),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Internal(_) => "Something went wrong on our side.".to_owned(),
        Error::NotFound("Conversation") => "Channel not found".to_owned(),
        other => other.to_string(),
    }
}

/// The status and the problem details of an error.
#[must_use]
pub fn problem(error: &Error) -> (u16, Vec<u8>) {
    let (status, title, code) = meaning(error);
    let field = match error {
        Error::Invalid { field, .. } => Some(field.as_str()),
        _ => None,
    };
    let problem = Problem { r#type: "about:blank", title, status, detail: &words(error), code, field };
    (status, serde_json::to_vec(&problem).unwrap_or_default())
}

/// The error as a frame; of the topic `channel`, as the client spelled it, where it is one's.
#[must_use]
pub fn frame(error: &Error, channel: Option<&str>, at: Timestamp) -> Vec<u8> {
    let (_, _, code) = meaning(error);
    event::frame("error", at, &Refusal { code, message: &words(error), channel }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_is_wrong_and_nothing_of_ours() {
        let (status, body) = problem(&Error::invalid("limit", "must be 1 to 100"));
        assert_eq!(status, 400);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"limit: must be 1 to 100","code":"invalid_request","field":"limit"}"#
        );
        let (_, body) = problem(&Error::Internal("secret path".into()));
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
    }

    #[test]
    fn a_refusal_is_a_frame() {
        let frame = frame(&Error::Forbidden("No."), Some("channel:a"), Timestamp::from_millis(0));
        assert_eq!(
            String::from_utf8(frame).unwrap(),
            r#"{"type":"error","timestamp":"1970-01-01T00:00:00.000Z","data":{"code":"forbidden","message":"No.","channel":"channel:a"}}"#
        );
    }
}
