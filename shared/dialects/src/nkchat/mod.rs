//! NetComposer nkchat: `class/subclass/cmd/tid` commands, and the events that follow from them.

pub mod conversation;
pub mod error;
pub mod event;
pub mod fields;
pub mod frame;
pub mod id;
pub mod message;
pub mod search;
pub mod user;
