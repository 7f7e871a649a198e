//! What is counted: everything that AWS charges for.

use std::{
    ops::{Add, Sub},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Requests to the table.
    pub requests: f64,
    /// Read units of the table, of 4 KB.
    pub reads: f64,
    /// Write units of the table, of 1 KB.
    pub writes: f64,
    /// Posts to connections that were taken.
    pub posts: f64,
    /// The same, in the 32 KB that API Gateway meters.
    pub metered: f64,
    /// Bytes of these posts.
    pub bytes: f64,
    /// Posts that were refused with 429.
    pub throttled: f64,
    /// Messages that were published to the topic of chunks.
    pub chunks: f64,
    /// Bytes of these messages.
    pub chunk_bytes: f64,
    /// Requests of the HTTP API.
    pub http: f64,
    /// Bytes of its answers.
    pub http_bytes: f64,
    /// Calls of functions.
    pub calls: f64,
    /// Seconds that functions waited for what they had asked.
    pub seconds: f64,
}

impl Used {
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            requests: f(self.requests, other.requests),
            reads: f(self.reads, other.reads),
            writes: f(self.writes, other.writes),
            posts: f(self.posts, other.posts),
            metered: f(self.metered, other.metered),
            bytes: f(self.bytes, other.bytes),
            throttled: f(self.throttled, other.throttled),
            chunks: f(self.chunks, other.chunks),
            chunk_bytes: f(self.chunk_bytes, other.chunk_bytes),
            http: f(self.http, other.http),
            http_bytes: f(self.http_bytes, other.http_bytes),
            calls: f(self.calls, other.calls),
            seconds: f(self.seconds, other.seconds),
        }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        self.zip(Self::default(), |one, _| one * factor)
    }
}

impl Add for Used {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.zip(other, |one, other| one + other)
    }
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.zip(other, |one, other| one - other)
    }
}

/// Counts.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Used>>);

impl Meter {
    /// Everything so far.
    #[must_use]
    pub fn used(&self) -> Used {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something.
    pub fn count(&self, count: impl FnOnce(&mut Used)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a call of a function that took so long.
    pub fn call(&self, took: Duration) {
        self.count(|used| {
            used.calls += 1.0;
            used.seconds += took.as_secs_f64();
        });
    }
}
