//! What `admin.json` counts: of this process, since it started, as the original does. On one machine that is all
//! there is; in AWS each function counts for itself.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
static SENT: AtomicU64 = AtomicU64::new(0);
static DELIVERED: AtomicU64 = AtomicU64::new(0);

/// What was counted.
#[derive(Debug)]
pub struct Counted {
    /// Messages sent.
    pub sent: u64,
    /// Events given to connections.
    pub delivered: u64,
    /// `H:MM:SS`.
    pub uptime: String,
}

/// So many messages were sent.
pub fn sent(count: usize) {
    LazyLock::force(&STARTED);
    SENT.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// So many events were given to connections.
pub fn delivered(count: usize) {
    DELIVERED.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// What was counted so far.
#[must_use]
pub fn counted() -> Counted {
    let seconds = STARTED.elapsed().as_secs();
    Counted {
        sent: SENT.load(Ordering::Relaxed),
        delivered: DELIVERED.load(Ordering::Relaxed),
        uptime: format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}
