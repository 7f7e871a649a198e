//! Topics `channel:{id}`, `user:{id}`, `global` with their events, and the REST beside them (seed 001).

pub mod channel;
pub mod error;
pub mod event;
pub mod member;
pub mod message;
pub mod topic;
