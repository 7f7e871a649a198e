//! How often, and with which pauses, something that was overtaken or left unprocessed is tried again.

use std::time::Duration;

/// Attempts before it is called busy. With full jitter below, 40 of them take about six seconds.
pub const ATTEMPTS: u32 = 40;

/// Waits a random time before the next attempt: up to 2 ms at first, doubling up to 256 ms.
///
/// Nobody need be kept from guessing it, so it is the thread's own generator that throws the dice, as in the SDK:
/// a simulation seeds both, and has the same run again.
pub async fn pause(attempt: u32) {
    let most = 2_000_u64 << attempt.min(7);
    tokio::time::sleep(Duration::from_micros(fastrand::u64(..most))).await;
}
