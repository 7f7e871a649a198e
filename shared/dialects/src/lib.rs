//! Five wire dialects over one model: values in, bytes out.
//!
//! # Layout
//! One folder each: [`channelize`], [`channels`], [`channelstream`], [`events`], [`nkchat`]. In each the same files:
//! `message`, `user`,
//! `conversation` (or `room`), `event`, `error`, as far as the dialect has them.
//!
//! # Invariants
//! Pure: what a rendering needs to know comes in as arguments; nothing is read, nobody is asked.

pub mod channelize;
pub mod channels;
pub mod channelstream;
pub mod events;
pub mod nkchat;
#[cfg(test)]
mod properties;
