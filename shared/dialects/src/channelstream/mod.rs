//! Channelstream's server API and the frames of its listeners.
//!
//! [`schema`] is what a body may say and what is said of one that does not; [`request`] are the bodies; [`event`]
//! what listeners are told; [`info`] what the server tells of channels; [`message`] the payload; [`order`] the order of keys; [`signature`] the
//! signed secret.

pub mod error;
pub mod event;
pub mod info;
pub mod message;
pub mod order;
pub mod request;
pub mod schema;
pub mod signature;
pub mod time;

use serde::Serialize;

/// A body as the original writes it: indented by four spaces.
#[must_use]
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => text,
        Err(_) => Vec::new(),
    }
}
