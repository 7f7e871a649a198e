//! The parts of the tests' harness that a process of its own needs.

use std::{future::Future, time::Duration};

use handlers::{
    auth::{self, Claims},
    context::Secrets,
};

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/all/harness/http.rs"]
pub(crate) mod http;
#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/all/harness/program.rs"]
pub(crate) mod program;

/// How long anything may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// A token that ends long after the machine's own clock.
const LATE: i64 = 4_000_000_000;

pub(crate) fn secrets() -> Secrets {
    Secrets { server: "server secret".to_owned(), token_key: "token key".to_owned(), issuer: None }
}

/// What takes longer than [`PATIENCE`] fails.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} took longer than {PATIENCE:?}"),
    }
}

/// A user's token.
pub(crate) fn token(user: &str) -> String {
    auth::mint(&secrets().token_key, &Claims { sub: user.to_owned(), exp: LATE, admin: false }).unwrap()
}

/// Numbers by chance, the same ones for the same seed (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One of the numbers from `low` to `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        low + (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % (high - low + 1)
    }
}
