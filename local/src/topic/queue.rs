//! A FIFO queue as SQS has it: order within a group, deduplication for five minutes, messages that come again until
//! they are deleted, and dead letters.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use handlers::invocation::QueueMessage;
use serde_json::json;
use tokio::{sync::watch, time::Instant};

use super::lock;

/// How long a message is known again (SQS).
const KNOWN: Duration = Duration::from_secs(300);

/// The limits of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a message that was received is not to be seen; then it comes again.
    pub visibility: Duration,
    /// How often a message is received at most before it is a dead letter; none: without end.
    pub receives: Option<u32>,
    /// How many messages it holds: the oldest becomes a dead letter when one more comes; none: as many as come.
    pub length: Option<usize>,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    name: String,
    limits: Limits,
    /// Where dead letters are kept; none: only in the log.
    folder: Option<PathBuf>,
    state: Mutex<State>,
    /// Counts whatever happens.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// By the order in which they came.
    messages: BTreeMap<u64, Message>,
    known: BTreeSet<Arc<str>>,
    /// When each name that is known came, the oldest first.
    came: VecDeque<(Instant, Arc<str>)>,
    sent: u64,
}

impl State {
    /// Whether a name has come within the last five minutes; from now on it has.
    fn knows(&mut self, name: String, now: Instant) -> bool {
        while self.came.front().is_some_and(|(at, _)| now.duration_since(*at) >= KNOWN) {
            if let Some((_, old)) = self.came.pop_front() {
                self.known.remove(&old);
            }
        }
        let name: Arc<str> = name.into();
        let new = self.known.insert(Arc::clone(&name));
        if new {
            self.came.push_back((now, name));
        }
        !new
    }
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    group: String,
    body: String,
    receives: u32,
    hidden_until: Option<Instant>,
}

impl Queue {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str, limits: Limits, folder: Option<PathBuf>) -> Self {
        let (state, changed) = (Mutex::default(), watch::channel(0).0);
        Self { name: name.to_owned(), limits, folder, state, changed }
    }

    /// Takes a message. One of the same name that came lately is taken and forgotten.
    pub fn send(&self, id: &str, group: &str, once: Option<&str>, body: &str) {
        let oldest = {
            let mut state = lock(&self.state);
            // Within its group, as with `DeduplicationScope: messageGroup`.
            if once.is_some_and(|once| state.knows(format!("{group} {once}"), Instant::now())) {
                return;
            }
            state.sent += 1;
            let at = state.sent;
            let (id, group, body) = (id.to_owned(), group.to_owned(), body.to_owned());
            state.messages.insert(at, Message { id, group, body, receives: 0, hidden_until: None });
            let full = self.limits.length.is_some_and(|most| state.messages.len() > most);
            full.then(|| state.messages.pop_first()).flatten()
        };
        if let Some((_, oldest)) = oldest {
            self.bury(&oldest);
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// Gives out messages, at most so many, in their order, and hides them. Of a group nothing is given out while
    /// something in front of it is hidden.
    pub fn receive(&self, most: usize) -> Vec<QueueMessage> {
        let now = Instant::now();
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        let mut blocked = BTreeSet::new();
        {
            let mut state = lock(&self.state);
            for (at, message) in &mut state.messages {
                if received.len() == most {
                    break;
                }
                if message.hidden_until.is_some_and(|until| until > now) {
                    blocked.insert(message.group.clone());
                } else if !blocked.contains(&message.group) {
                    message.receives += 1;
                    if self.limits.receives.is_some_and(|most| message.receives > most) {
                        dead.push((*at, message.clone()));
                        continue;
                    }
                    message.hidden_until = Some(now + self.limits.visibility);
                    received.push(QueueMessage {
                        id: message.id.clone(),
                        group: message.group.clone(),
                        body: message.body.clone(),
                    });
                }
            }
            for (at, _) in &dead {
                state.messages.remove(at);
            }
        }
        for (_, message) in &dead {
            self.bury(message);
        }
        if !dead.is_empty() {
            self.changed.send_modify(|count| *count += 1);
        }
        received
    }

    /// Removes messages that are done.
    pub fn delete(&self, ids: &BTreeSet<String>) {
        lock(&self.state).messages.retain(|_, message| !ids.contains(&message.id));
        self.changed.send_modify(|count| *count += 1);
    }

    /// How many messages came so far: with [`Queue::is_done_up_to`] it tells whether they have left.
    #[must_use]
    pub fn mark(&self) -> u64 {
        lock(&self.state).sent
    }

    /// Whether everything that came before the mark is deleted, or dead.
    #[must_use]
    pub fn is_done_up_to(&self, mark: u64) -> bool {
        lock(&self.state).messages.first_key_value().is_none_or(|(at, _)| *at > mark)
    }

    /// Waits until everything that came before the mark is deleted, or dead.
    pub async fn done_up_to(&self, mark: u64) {
        let mut changed = self.changed.subscribe();
        // The sender lives as long as this does.
        let _ = changed.wait_for(|_| self.is_done_up_to(mark)).await;
    }

    /// Waits until there may be something to receive again.
    pub(super) async fn stirred(&self, changed: &mut watch::Receiver<u64>) {
        let now = Instant::now();
        let hidden = |message: &Message| message.hidden_until.filter(|until| *until > now);
        let next = lock(&self.state).messages.values().filter_map(hidden).min();
        let seen = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = changed.changed() => {}
            () = seen => {}
        }
    }

    /// Tells of whatever happens.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn bury(&self, message: &Message) {
        let (queue, id) = (self.name.as_str(), message.id.as_str());
        tracing::error!(queue, id, group = message.group, "a message was given up");
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("dead-letters")) else { return };
        let line = json!({ "messageId": id, "group": message.group, "body": message.body });
        let path = folder.join(format!("{queue}.jsonl"));
        let written = std::fs::create_dir_all(&folder).and_then(|()| {
            let mut file = std::fs::File::options().create(true).append(true).open(&path)?;
            writeln!(file, "{line}")
        });
        if let Err(error) = written {
            tracing::error!(%error, path = %path.display(), "the dead letter was not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY: Duration = Duration::from_secs(90);

    fn queue(folder: Option<PathBuf>) -> Queue {
        Queue::new("chunks", Limits { visibility: VISIBILITY, receives: Some(2), length: Some(4) }, folder)
    }

    fn bodies(queue: &Queue, most: usize) -> Vec<String> {
        queue.receive(most).into_iter().map(|message| message.body).collect()
    }

    fn delete(queue: &Queue, ids: &[&str]) {
        queue.delete(&ids.iter().map(|id| (*id).to_owned()).collect());
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_keeps_its_order_and_holds_up_no_other() {
        let queue = queue(None);
        for (id, group) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")] {
            queue.send(id, group, Some(id), id);
        }
        assert_eq!(bodies(&queue, 1), ["1"]);
        assert_eq!(bodies(&queue, 10), ["3"], "the rest of `a` waits");
        delete(&queue, &["1"]);
        assert_eq!(bodies(&queue, 10), ["2", "4"], "several of one group at once");
        assert_eq!(bodies(&queue, 10), Vec::<String>::new());
        // Nobody deleted them: they come again, in their order.
        tokio::time::advance(VISIBILITY).await;
        assert_eq!(bodies(&queue, 10), ["2", "3", "4"]);
        delete(&queue, &["2", "3"]);
        assert!(queue.is_done_up_to(3) && !queue.is_done_up_to(queue.mark()));
        delete(&queue, &["4"]);
        assert!(queue.is_done_up_to(queue.mark()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_within_five_minutes_is_known_again() {
        let queue = queue(None);
        queue.send("1", "a", Some("x"), "1");
        queue.send("2", "a", Some("x"), "2");
        queue.send("3", "b", Some("x"), "3");
        assert_eq!(bodies(&queue, 10), ["1", "3"], "known in its own group");
        delete(&queue, &["1", "3"]);
        queue.send("4", "a", Some("x"), "4");
        assert_eq!(bodies(&queue, 10), Vec::<String>::new(), "also when it has left");
        tokio::time::advance(KNOWN).await;
        queue.send("5", "a", Some("x"), "5");
        assert_eq!(bodies(&queue, 10), ["5"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_is_a_dead_letter_the_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(Some(folder.path().to_owned()));
        for id in ["1", "2", "3", "4", "5", "6"] {
            queue.send(id, id, None, id);
        }
        assert_eq!(bodies(&queue, 10), ["3", "4", "5", "6"]);
        assert!(queue.is_done_up_to(2) && !queue.is_done_up_to(3));
        let kept = std::fs::read_to_string(folder.path().join("dead-letters/chunks.jsonl")).unwrap();
        assert_eq!(kept.lines().count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_received_too_often_is_a_dead_letter_and_lets_the_next_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let queue = queue(Some(folder.path().to_owned()));
        queue.send("1", "a", Some("1"), "poison");
        queue.send("2", "a", Some("2"), "sound");
        for _ in 0..2 {
            assert_eq!(bodies(&queue, 1), ["poison"]);
            tokio::time::advance(VISIBILITY).await;
        }
        assert_eq!(bodies(&queue, 1), ["sound"]);
        assert!(queue.is_done_up_to(1), "given up is done");
        let kept = std::fs::read_to_string(folder.path().join("dead-letters/chunks.jsonl")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!((&kept["body"], &kept["group"]), (&"poison".into(), &"a".into()));
    }
}
