//! What the program costs, and how long a large audience takes: the real functions, with everything that AWS charges
//! for counted, and with a stated time for everything that AWS answers.
//!
//! # Layout
//! - [`rig`]: functions over one table, one queue and connections that nobody has. [`table`], [`topic`], [`gateway`]:
//!   what they talk to. [`meter`]: what is counted.
//! - [`crowd`]: conversations with an audience, in three dialects.
//! - [`prices`]: `docs/prices.json`. [`bill`]: what was counted, in dollars.
//! - [`page`], [`month`]: `docs/costs.md`. [`size`]: how long one message takes to reach everybody.
//!
//! # Promises
//! - Time is virtual, and a rig is single-threaded: what is counted is the same each time.
//! - Nothing is scaled that could be counted, and where something is (ten messages to a thousand), it says so.

pub mod bill;
pub mod crowd;
pub mod gateway;
pub mod meter;
pub mod month;
pub mod page;
pub mod prices;
pub mod rig;
pub mod size;
pub mod table;
pub mod topic;
