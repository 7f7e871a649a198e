//! The road out: the topics that large audiences and the owner are reached by, how fast and how often may be
//! posted, and what is counted of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::Number;
use tokio::time::{Instant, sleep_until};

use super::topic::Topics;
use crate::metrics::Metrics;

/// What of the road can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Members and subscriptions of a conversation beyond which its audience is divided; a shard has about as many.
    pub large_audience: usize,
    /// How long a busy conversation's next post may wait, so that more is in it; zero: not at all.
    pub coalesce: Duration,
    /// Posts a second of this process; 0: as many as there are.
    pub posts_per_second: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { large_audience: 500, coalesce: Duration::ZERO, posts_per_second: 0 }
    }
}

/// The road of one process.
#[derive(Debug, Default)]
pub struct Road {
    /// What can be set.
    pub settings: Settings,
    /// The topics; without the one of chunks every audience is served by who reads the stream.
    pub topics: Topics,
    /// How fast may be posted.
    pub pace: Pace,
    /// What is counted.
    pub metrics: Metrics,
    rooms: Rooms,
}

impl Road {
    /// A road with these settings, to these topics.
    #[must_use]
    pub fn new(settings: Settings, topics: Topics) -> Self {
        Self { settings, topics, pace: Pace::new(settings.posts_per_second), ..Self::default() }
    }

    /// How many members and subscriptions are served by who reads the stream.
    #[must_use]
    pub fn most_inline(&self) -> usize {
        if self.topics.chunks.is_some() { self.settings.large_audience } else { usize::MAX }
    }

    /// Whether fewer posts are wanted than the dialect's original would make.
    #[must_use]
    pub const fn gathers(&self) -> bool {
        !self.settings.coalesce.is_zero()
    }

    /// Stays for the rest of the window if one of these conversations, which were just posted to, is busy: meanwhile
    /// the stream gathers what comes, and the next batch says it in fewer posts. Whoever was quiet waits for nobody:
    /// its first post has been made.
    pub async fn linger(&self, posted: &[Number]) {
        let window = self.settings.coalesce;
        if window.is_zero() || posted.is_empty() {
            return;
        }
        let now = Instant::now();
        if self.rooms.any_busy(posted, now, window) {
            sleep_until(now + window).await;
        }
        self.rooms.note(posted, Instant::now(), window);
    }
}

/// When conversations were last posted to, and no longer ago than matters.
#[derive(Debug, Default)]
struct Rooms(Mutex<BTreeMap<Number, Instant>>);

impl Rooms {
    fn any_busy(&self, posted: &[Number], now: Instant, window: Duration) -> bool {
        let rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        posted.iter().filter_map(|number| rooms.get(number)).any(|last| now.duration_since(*last) < window)
    }

    fn note(&self, posted: &[Number], now: Instant, window: Duration) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, last| now.duration_since(*last) < window);
        rooms.extend(posted.iter().map(|number| (*number, now)));
    }
}

/// Lets through so many posts a second, evenly, with a little in reserve after a pause.
#[derive(Debug, Default)]
pub struct Pace {
    interval: Option<Duration>,
    /// When the next post may be made.
    next: Mutex<Option<Instant>>,
}

/// How much of a pause may be made up for.
const RESERVE: Duration = Duration::from_millis(100);

impl Pace {
    /// So many a second; 0: without a limit.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let interval = (per_second > 0).then(|| Duration::from_secs(1) / per_second);
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for one's turn. Each attempt takes one, also one that was answered "later".
    pub async fn turn(&self) {
        let Some(interval) = self.interval else { return };
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let earliest = now.checked_sub(RESERVE).unwrap_or(now);
            let at = next.map_or(earliest, |next| next.max(earliest));
            *next = Some(at + interval);
            at
        };
        if at > now {
            sleep_until(at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn road(coalesce: u64) -> Road {
        let settings = Settings {
            coalesce: Duration::from_millis(coalesce),
            posts_per_second: 100,
            ..Settings::default()
        };
        Road::new(settings, Topics::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_conversation_waits_for_nobody_and_a_busy_one_for_the_window() {
        let road = road(500);
        let (quiet, busy) = ([Number(1)], [Number(2)]);
        let mut waits = Vec::new();
        for (pause, posted) in
            [(0, &busy), (100, &quiet), (100, &busy), (0, &busy), (400, &busy), (600, &busy)]
        {
            tokio::time::advance(Duration::from_millis(pause)).await;
            let begun = Instant::now();
            road.linger(posted).await;
            waits.push(begun.elapsed().as_millis());
        }
        assert_eq!(waits, [0, 0, 500, 500, 500, 0], "first; another; busy; goes on; within the window; over");
        let begun = Instant::now();
        Road::default().linger(&busy).await;
        Road::default().linger(&busy).await;
        assert!(begun.elapsed().is_zero(), "without a window nothing waits");
    }

    #[tokio::test(start_paused = true)]
    async fn posts_keep_to_the_pace_whoever_makes_them() {
        let road = std::sync::Arc::new(road(0));
        tokio::time::advance(Duration::from_secs(10)).await;
        let begun = Instant::now();
        let mut posts = tokio::task::JoinSet::new();
        for _ in 0..310 {
            let road = std::sync::Arc::clone(&road);
            posts.spawn(async move { road.pace.turn().await });
        }
        posts.join_all().await;
        // 300 at 100 a second, the first ten of the reserve.
        let took = begun.elapsed().as_millis();
        assert!((2_980..=3_010).contains(&took), "{took} ms");
    }
}
