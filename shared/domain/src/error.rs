//! What can go wrong, in the domain's language. Each dialect translates it once, exhaustively.

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request is not one: a field is missing, of a wrong type or out of range.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, as the wire spells it.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More bytes than are allowed.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nobody, or somebody who could not prove it.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Somebody who may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing, or the caller may not know of it.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The id is taken, by something else.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// The caller said it before with other words: an id or a key that was used for something else.
    #[error("{0}")]
    Conflict(&'static str),
    /// Too many others at once; nothing was done; try again.
    #[error("too busy, nothing was done; try again")]
    Busy,
    /// Something of ours is broken. The text is for the log, not for the caller.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// [`Error::Invalid`].
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}
