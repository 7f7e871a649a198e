//! Refusals, as nkservice says them: `{"code":"<name>","error":"<text>"}`. The codes are opaque to clients.

use domain::Error;
use serde_json::{Value, json};

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A mandatory field is not there.
    MissingField(String),
    /// A field is of a wrong type or out of range.
    SyntaxError(String),
    /// There is no such class, subclass or command, or not this combination of them.
    NotImplemented,
    /// The session has not logged in.
    NotAuthenticated,
    /// The session has logged in before.
    AlreadyAuthenticated,
    /// The caller may not do this, or could not prove who it is.
    Unauthorized,
    /// No session of this user is there.
    UserNotFound,
    /// There is no such session.
    SessionNotFound,
    /// What the operations behind the command say.
    Domain(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl Refusal {
    /// The refusal's code and text.
    #[must_use]
    pub fn code(&self) -> (&'static str, String) {
        let plain = |code, text: &str| (code, text.to_owned());
        match self {
            Self::MissingField(field) => ("missing_field", format!("Missing field: '{field}'")),
            Self::SyntaxError(field) => ("syntax_error", format!("Syntax error: '{field}'")),
            Self::NotImplemented => plain("not_implemented", "Not implemented"),
            Self::NotAuthenticated => plain("not_authenticated", "Not authenticated"),
            Self::AlreadyAuthenticated => plain("already_authenticated", "Already authenticated"),
            Self::Unauthorized => plain("unauthorized", "Unauthorized"),
            Self::UserNotFound => plain("user_not_found", "User not found"),
            Self::SessionNotFound => plain("session_not_found", "Session not found"),
            Self::Domain(error) => domain_code(error),
        }
    }

    /// The `data` of the frame that says it.
    #[must_use]
    pub fn data(&self) -> Value {
        let (code, error) = self.code();
        json!({ "code": code, "error": error })
    }
}

fn domain_code(error: &Error) -> (&'static str, String) {
    match error {
        Error::Invalid { field, .. } => ("syntax_error", format!("Syntax error: '{field}'")),
        Error::TooLarge { .. } => ("too_large", error.to_string()),
        Error::Unauthenticated(_) => ("not_authenticated", "Not authenticated".to_owned()),
        Error::Forbidden(_) => ("unauthorized", "Unauthorized".to_owned()),
        Error::NotFound(_) => ("obj_not_found", "Object not found".to_owned()),
        Error::Exists(_) => ("obj_already_exists", "Object already exists".to_owned()),
        Error::Conflict(text) => ("conflict", (*text).to_owned()),
        Error::Busy => ("busy", "Busy".to_owned()),
        Error::Internal(_) => ("internal_error", "Internal error".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_text_never_leaves_and_a_field_is_named() {
        let internal = Refusal::from(Error::Internal("secret path".into())).data();
        assert_eq!(internal, json!({"code": "internal_error", "error": "Internal error"}));
        let missing = Refusal::MissingField("user_id".into()).data();
        assert_eq!(missing, json!({"code": "missing_field", "error": "Missing field: 'user_id'"}));
    }
}
