//! Virola's event stream: one JSON object per frame, `{"type":…,"data":…}`. Ids are numbers, times unix
//! milliseconds.

pub mod error;
pub mod event;
pub mod message;
pub mod room;
