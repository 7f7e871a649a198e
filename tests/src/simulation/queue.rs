//! The queue of a world between the fan-out and the workers of large audiences, with its trigger: a FIFO queue as SQS
//! promises it, no more.
//!
//! A group keeps its order, and what stands in front of it is done before the rest of it is given out. A message comes
//! again until it is deleted, when it is no longer hidden; what was received five times is a dead letter, and the
//! group goes on. One that says what another of its group said is known for five minutes, not longer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use handlers::invocation::QueueMessage;
use tokio::sync::Notify;

use super::{
    cloud::Cloud,
    dice::Dice,
    history::{Fact, History},
    time,
    weather::Weather,
};

/// Messages of a call at most (`BatchSize` in the template).
const BATCH: u64 = 10;
/// Calls at once.
const WORKERS: usize = 3;
/// How long a message that was received is hidden, in milliseconds (`VisibilityTimeout`).
const HIDDEN: u64 = 90_000;
/// How often a message is received at most (`maxReceiveCount`).
const RECEIVES: u32 = 5;
/// How long a message is known again, in milliseconds (SQS).
const KNOWN: u64 = 300_000;

/// The queue.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    busy: AtomicU64,
    sent: AtomicU64,
    stirred: Notify,
    dice: Dice,
    weather: Weather,
    history: History,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    messages: BTreeMap<u64, Message>,
    /// When what says this was first sent, by group.
    known: BTreeMap<(String, String), u64>,
    count: u64,
}

#[derive(Debug)]
struct Message {
    group: String,
    body: String,
    receives: u32,
    /// Whoever serves it is killed.
    cursed: bool,
    /// Until when nobody is given it.
    hidden: u64,
}

impl Queue {
    /// An empty one.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, history: History) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            busy: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            stirred: Notify::new(),
            dice: Dice::new(seed, "queue"),
            weather,
            history,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message, which may be on its way for a while.
    pub fn send(&self, group: &str, once: &str, body: &str) {
        let now = time::millis();
        let late = self.weather.strikes(&self.dice, self.weather.rates().late);
        let hidden = now + self.dice.below(if late { 4_000 } else { 15 });
        let cursed = self.weather.strikes(&self.dice, self.weather.rates().cursed);
        let (group, body) = (group.to_owned(), body.to_owned());
        let mut state = self.state();
        let said = (group.clone(), once.to_owned());
        if state.known.get(&said).is_some_and(|first| now - first < KNOWN) {
            return;
        }
        state.known.insert(said, now);
        state.count += 1;
        let at = state.count;
        state.messages.insert(at, Message { group, body, receives: 0, cursed, hidden });
        drop(state);
        self.sent.fetch_add(1, Relaxed);
        self.stirred.notify_waiters();
    }

    /// How many messages were taken so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Whether everything has left it.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.state().messages.is_empty() && self.busy.load(Relaxed) == 0
    }

    /// Calls the function with what there is, for as long as it is polled.
    pub async fn run(self: Arc<Self>, cloud: Arc<Cloud>) {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..WORKERS {
            workers.spawn(Arc::clone(&self).work(Arc::clone(&cloud)));
        }
        while workers.join_next().await.is_some() {}
    }

    async fn work(self: Arc<Self>, cloud: Arc<Cloud>) {
        loop {
            let most = usize::try_from(self.dice.between(1, BATCH)).unwrap_or(1);
            let (received, cursed) = self.receive(most);
            if received.is_empty() {
                self.stirred().await;
                continue;
            }
            self.busy.fetch_add(1, Relaxed);
            let of: BTreeSet<String> = received.iter().map(|message| message.id.clone()).collect();
            if let Some(failed) = cloud.serve(received, cursed).await {
                let done = of.into_iter().filter(|id| !failed.contains(id));
                self.delete(&done.collect());
            }
            self.busy.fetch_sub(1, Relaxed);
            self.stirred.notify_waiters();
        }
    }

    /// Waits until there may be something to be given out.
    async fn stirred(&self) {
        let now = time::millis();
        let next = self.state().messages.values().map(|message| message.hidden).filter(|at| *at > now).min();
        let seen = async {
            match next {
                Some(at) => time::pass(at - now).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stirred.notified() => {}
            () = seen => {}
        }
    }

    /// Gives out what may be, and says whether serving it is deadly.
    fn receive(&self, most: usize) -> (Vec<QueueMessage>, bool) {
        let now = time::millis();
        let mut state = self.state();
        let (mut received, mut dead, mut blocked) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut cursed = false;
        for (at, message) in &mut state.messages {
            if received.len() == most {
                break;
            }
            if message.hidden > now || blocked.contains(&message.group) {
                blocked.insert(message.group.clone());
                continue;
            }
            message.receives += 1;
            if message.receives > RECEIVES {
                dead.push(*at);
                continue;
            }
            message.hidden = now + HIDDEN;
            cursed |= message.cursed;
            let (group, body) = (message.group.clone(), message.body.clone());
            received.push(QueueMessage { id: at.to_string(), group, body });
        }
        let dead: Vec<Message> = dead.into_iter().filter_map(|at| state.messages.remove(&at)).collect();
        drop(state);
        for message in dead {
            let chunk = serde_json::from_str(&message.body).unwrap_or_default();
            self.history.note(Fact::GivenUp { chunk });
        }
        (received, cursed)
    }

    /// Removes what is done; now and then one is not, and comes again.
    fn delete(&self, done: &BTreeSet<String>) {
        let mut state = self.state();
        for id in done {
            let kept = self.weather.strikes(&self.dice, self.weather.rates().undeleted);
            if let Some(at) = id.parse::<u64>().ok().filter(|_| !kept) {
                state.messages.remove(&at);
            }
        }
    }
}
