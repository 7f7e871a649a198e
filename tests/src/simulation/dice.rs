//! Where a world's chance comes from: one seed, one stream of numbers for each part of the world.
//!
//! A part of its own stream keeps its luck when another part throws more often.

use std::sync::{Arc, Mutex, PoisonError};

/// A stream of numbers, shared by whoever has it.
#[derive(Debug, Clone)]
pub struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    /// The stream of that part of the world.
    #[must_use]
    pub fn new(seed: u64, part: &str) -> Self {
        // FNV-1a over the part's name, mixed with the seed: close seeds must not give close streams.
        let named = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ named;
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(mixed))))
    }

    fn with<T>(&self, throw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        throw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number below `sides`; 0 if there are none.
    #[must_use]
    pub fn below(&self, sides: u64) -> u64 {
        if sides == 0 { 0 } else { self.with(|rng| rng.u64(..sides)) }
    }

    /// A number from `low` to `high`.
    #[must_use]
    pub fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in so many of a thousand throws.
    #[must_use]
    pub fn permille(&self, chance: u64) -> bool {
        chance > 0 && self.below(1_000) < chance
    }

    /// One of these; none if there are none.
    #[must_use]
    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(from.len()).unwrap_or(0);
        from.get(usize::try_from(self.below(count)).unwrap_or(0))
    }

    /// Puts these into another order.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        self.with(|rng| rng.shuffle(items));
    }
}
