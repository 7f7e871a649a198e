//! What a messaging system is. Pure: no async, no AWS, no clock.
pub mod dialect;
pub mod time;
pub use dialect::Dialect;
pub use time::Timestamp;
