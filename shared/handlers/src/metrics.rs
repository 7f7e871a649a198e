//! What the delivery counts, so that an operator sees how it does: one list of metrics, and a tally of them.
//!
//! # Promises
//! - Numbers only: no content, no ids.
//! - Whoever hosts the handlers decides what becomes of the tally: a function writes a line for each call that
//!   counted something, the runner shows sums.
//! - Counting never fails and never waits.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{Entry, Timestamp};
use store::change::Change;

/// A number that an operator may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Milliseconds from an entry's being written until the last of those who took the posts that tell of it had them.
    FanOutLag,
    /// Frames that connections took of the delivery; answers on a socket are not among them.
    Posts,
    /// Connections that had ended (410), and were forgotten.
    Gone,
    /// Answers "too many" (429) to a post: the account's quota, or a client that does not read.
    Throttled,
    /// Posts that got a server's error or no answer in time.
    Unanswered,
    /// Connections that were closed, most of them because they took nothing for too long, so that their clients
    /// come back and resume.
    Parked,
    /// Topics whose subscriber asked for what was missed and got it.
    Resumed,
    /// Topics whose subscriber asked for what was missed and was told to reload.
    Reloads,
    /// Chunks of large audiences that were sent on.
    ChunksPublished,
    /// Chunks of large audiences that were served.
    ChunksDelivered,
}

/// What a metric is measured in, as CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Thousandths of a second.
    Milliseconds,
}

impl Unit {
    /// As CloudWatch spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

impl Metric {
    /// All of them. Ten, because CloudWatch charges for the eleventh.
    pub const ALL: [Self; 10] = [
        Self::FanOutLag,
        Self::Posts,
        Self::Gone,
        Self::Throttled,
        Self::Unanswered,
        Self::Parked,
        Self::Resumed,
        Self::Reloads,
        Self::ChunksPublished,
        Self::ChunksDelivered,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FanOutLag => "FanOutLag",
            Self::Posts => "Posts",
            Self::Gone => "Gone",
            Self::Throttled => "Throttled",
            Self::Unanswered => "Unanswered",
            Self::Parked => "Parked",
            Self::Resumed => "Resumed",
            Self::Reloads => "Reloads",
            Self::ChunksPublished => "ChunksPublished",
            Self::ChunksDelivered => "ChunksDelivered",
        }
    }

    /// What it is measured in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::FanOutLag => Unit::Milliseconds,
            _ => Unit::Count,
        }
    }
}

/// What was counted since the beginning, or since it was last taken.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: [AtomicU64; Metric::ALL.len()],
    lags: Mutex<Lags>,
}

/// How often each lag was seen, by its milliseconds: exact up to a second, then in steps of a hundredth, so that
/// a process that runs for months keeps a few thousand of them at most.
pub type Lags = BTreeMap<u64, u64>;

/// A tally as it was at some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What is counted, without what never happened.
    pub counts: BTreeMap<Metric, u64>,
    /// The [`Metric::FanOutLag`] of every entry.
    pub lags: Lags,
}

impl Tally {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.lags.is_empty()
    }
}

impl Metrics {
    /// It happened so many times more.
    pub fn count(&self, metric: Metric, times: usize) {
        if let Some(counted) = self.counts.get(metric as usize) {
            counted.fetch_add(u64::try_from(times).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// What was written then has been told now.
    pub fn told(&self, written: impl IntoIterator<Item = Timestamp>, now: Timestamp) {
        let mut lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        for at in written {
            // The clocks of two machines differ by a little.
            let millis = u64::try_from(now.millis().saturating_sub(at.millis())).unwrap_or_default();
            *lags.entry(rounded(millis)).or_default() += 1;
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Tally { counts: self.counts_by(|count| count.load(Ordering::Relaxed)), lags }
    }

    /// What was counted since this was last asked.
    #[must_use]
    pub fn take(&self) -> Tally {
        let lags = mem::take(&mut *self.lags.lock().unwrap_or_else(PoisonError::into_inner));
        Tally { counts: self.counts_by(|count| count.swap(0, Ordering::Relaxed)), lags }
    }

    fn counts_by(&self, read: impl Fn(&AtomicU64) -> u64) -> BTreeMap<Metric, u64> {
        let all = Metric::ALL.into_iter().zip(&self.counts).map(|(metric, count)| (metric, read(count)));
        all.filter(|(_, count)| *count > 0).collect()
    }
}

fn rounded(millis: u64) -> u64 {
    let mut step = 1;
    while millis / step >= 1_000 {
        step *= 10;
    }
    millis / step * step
}

/// When the entries among these changes were written.
pub fn written<'a>(changes: impl IntoIterator<Item = &'a Change>) -> impl Iterator<Item = Timestamp> {
    changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Entry(entry) => Some(&**entry),
            Change::Read { .. } | Change::Signal { .. } | Change::Opened(_) | Change::User(_) => None,
        })
        .map(|entry: &Entry| entry.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_place_and_a_name_of_its_own() {
        let metrics = Metrics::default();
        for (at, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, at, "{metric:?}");
            metrics.count(metric, at + 1);
        }
        let counts: Vec<u64> = metrics.take().counts.into_values().collect();
        assert_eq!(counts, Vec::from_iter(1..=10));
        assert!(metrics.take().is_empty());
        let names: std::collections::BTreeSet<_> = Metric::ALL.map(Metric::name).into();
        assert_eq!(names.len(), Metric::ALL.len());
    }

    #[test]
    fn lags_are_exact_up_to_a_second_and_never_negative() {
        let metrics = Metrics::default();
        let (now, times) = (Timestamp::from_millis(100_000), [100_003, 99_750, 99_750, 98_766, 12_345]);
        metrics.told(times.map(Timestamp::from_millis), now);
        assert_eq!(metrics.tally().lags, Lags::from([(0, 1), (250, 2), (1_230, 1), (87_600, 1)]));
        let days = (0..100_000_000).step_by(7);
        metrics.told(days.map(Timestamp::from_millis), Timestamp::from_millis(100_000_000));
        assert!(metrics.take().lags.len() < 6_000);
    }
}
