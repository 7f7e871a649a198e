//! Virola's Web API and its event stream: one JSON object per frame, `{"type":…,"data":…}`. Ids are numbers,
//! times unix milliseconds.

pub mod attachment;
pub mod error;
pub mod event;
pub mod message;
pub mod multipart;
pub mod permissions;
pub mod room;
pub mod user;
