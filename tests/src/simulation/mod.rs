//! A world of its own for each seed: clients, functions, the stream and the connections, with virtual time, and
//! everything that goes wrong on them; and a checker of what its clients saw.
//!
//! The program under test is the real one: handlers, operations, store and delivery, with the SDK's client over
//! the embedded table. What is simulated is what AWS and the clients do.
//!
//! # Layout
//! - [`world`]: one run. [`dice`], [`weather`], [`time`]: where its luck comes from, what goes wrong, when.
//! - [`table`], [`stream`], [`trigger`], [`gateway`], [`cloud`]: DynamoDB, its stream and who reads it, the connections,
//!   the functions.
//! - [`engine`], [`expression`]: the table's own items; [`expiry`]: what becomes of those whose time is over; [`beside`]:
//!   the emulator, to compare with.
//! - [`topic`], [`queue`]: SNS and SQS between the fan-out and the workers of large audiences.
//! - [`door`], [`device`], [`actor`]: clients: requests, sockets, and who uses them.
//! - [`history`]: what the clients saw. [`log`], [`oracle`], [`given_up`], [`content`], [`checker`]: what they should
//!   have seen.
//!
//! # Invariants
//! - A run is single-threaded, and the same for the same seed.
//! - The checker knows the program's rules from the contract alone: it calls neither its visibility nor its reads.

pub mod actor;
pub mod beside;
pub mod checker;
pub mod cloud;
pub mod content;
pub mod device;
pub mod dice;
pub mod door;
pub mod engine;
pub mod expiry;
pub mod expression;
pub mod frames;
pub mod gateway;
pub mod given_up;
pub mod history;
pub mod listening;
pub mod log;
pub mod notices;
pub mod oracle;
pub mod queue;
pub mod stream;
pub mod table;
pub mod time;
pub mod topic;
pub mod trigger;
pub mod weather;
pub mod world;
