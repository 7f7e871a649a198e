//! A world's time: virtual, and its own. It stands while anything is to be done, and jumps when nothing is.

use std::{cell::Cell, time::Duration};

use domain::Timestamp;
use tokio::time::Instant;

/// When every world begins, unix milliseconds.
const BEGINNING: u64 = 1_790_000_000_000;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Begins a world's time. One thread has one world.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// Milliseconds since the world began.
#[must_use]
pub fn millis() -> u64 {
    let since = BEGAN.get().map(|began| began.elapsed()).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The same as a time of day.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(BEGINNING + millis()).unwrap_or(i64::MAX))
}

/// A time of the log in milliseconds since the world began.
#[must_use]
pub fn since_beginning(unix_millis: u64) -> u64 {
    unix_millis.saturating_sub(BEGINNING)
}

/// Lets time pass.
pub async fn sleep(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// Lets some milliseconds pass.
pub async fn pass(millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}
