//! What can be done, in no dialect's words. A dialect's handler decodes a request, calls one of these, and
//! encodes what comes back.
//!
//! # Layout
//! - [`commit`]: how a change gets into a log: read the tail, check, append, and again if overtaken.
//! - [`send`], [`target`], [`messages`]: writing messages, where to, and changing them.
//! - [`create`], [`conversation`], [`membership`], [`pin`]: conversations, who is in them, and which are one's favourites.
//! - [`history`], [`transcript`], [`timeline`]: reading messages: as last written; as first written, by thread or all.
//! - [`reading`], [`position`]: how far one has read, and what is left; [`reach`]: how much of a log a call looks at.
//! - [`relay`]: messages that the application's server writes and changes for its users.
//! - [`notice`]: what one user, or everybody, is told.
//! - [`access`]: may the caller look into it at all? `block`: may one of two speak to the other?

pub mod access;
mod block;
pub mod commit;
pub mod conversation;
pub mod create;
pub mod history;
pub mod membership;
pub mod messages;
pub mod notice;
pub mod pin;
pub mod position;
pub mod reach;
pub mod reading;
pub mod relay;
pub mod send;
pub mod target;
pub mod timeline;
pub mod transcript;
pub mod user;
