//! How far one call looks into a log: what it reads is bounded, whatever the log is like.

use domain::limits;

/// Entries of each Query but the first: usually less than the megabyte at which DynamoDB ends it.
pub const STRIDE: usize = 2_000;

/// Entries that may still be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Reach(usize);

impl Reach {
    /// To say what is unread and what was last said.
    pub const GLANCE: Self = Self(limits::ENTRIES_PER_GLANCE);
    /// To list or count messages.
    pub const SEARCH: Self = Self(limits::ENTRIES_PER_SEARCH);

    /// So many entries.
    #[must_use]
    pub const fn of(entries: usize) -> Self {
        Self(entries)
    }

    /// How many entries of `wanted` the next Query may ask for. They count as looked at: a Query that ends early, at
    /// one megabyte, has read as much as one may.
    pub fn take(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.0);
        self.0 -= taken;
        taken
    }

    /// Whether nothing more may be looked at.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.0 == 0
    }
}
