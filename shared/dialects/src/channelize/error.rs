//! Errors, as LoopBack says them: `{"error":{"statusCode":404,"name":"Error","message":…,"code":…}}`.

use domain::Error;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner<'a> {
    status_code: u16,
    name: &'a str,
    message: &'a str,
    code: &'a str,
}

/// The status and body of an error. The PHP client knows 400, 401, 403, 404 and 500; so what other dialects
/// call a conflict or too large is a 400 here.
#[must_use]
pub fn encode(error: &Error) -> (u16, Vec<u8>) {
    let (status_code, code) = match error {
        Error::Invalid { .. } => (400, "VALIDATION_ERROR"),
        Error::TooLarge { .. } => (400, "PAYLOAD_TOO_LARGE"),
        Error::Exists(_) => (400, "ALREADY_EXISTS"),
        Error::Conflict(_) => (400, "CONFLICT"),
        Error::Unauthenticated(_) => (401, "AUTHORIZATION_REQUIRED"),
        Error::Forbidden(_) => (403, "ACCESS_DENIED"),
        Error::NotFound(_) => (404, "MODEL_NOT_FOUND"),
        Error::Busy => (503, "SERVICE_UNAVAILABLE"),
        Error::Internal(_) => (500, "INTERNAL_SERVER_ERROR"),
    };
    let message = match error {
        Error::Internal(_) => "Internal server error.".to_owned(),
        Error::Invalid { field, reason } => format!("`{field}` {reason}."),
        other => other.to_string(),
    };
    let body = Body { error: Inner { status_code, name: "Error", message: &message, code } };
    (status_code, serde_json::to_vec(&body).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_text_never_leaves() {
        let (status, body) = encode(&Error::Internal("secret path".into()));
        assert_eq!(status, 500);
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
    }

    #[test]
    fn an_error_says_its_status_twice() {
        let (status, body) = encode(&Error::invalid("limit", "must be 1 to 200"));
        assert_eq!(status, 400);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"error":{"statusCode":400,"name":"Error","message":"`limit` must be 1 to 200.","code":"VALIDATION_ERROR"}}"#
        );
    }
}
