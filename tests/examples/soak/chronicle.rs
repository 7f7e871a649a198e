//! What happens to the clients, in the words of the simulator's history: so that its checker can judge it.
//!
//! The times are the machine's, counted from when the simulator's worlds begin: the program writes its own into the
//! same logs, by the same clock.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use tests::simulation::{
    history::{Ask, Deed, Fact, Outcome, Socket},
    time,
};

/// All that happened, over all lives of the program.
#[derive(Debug, Default)]
pub(crate) struct Chronicle(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    facts: Vec<(u64, Fact)>,
    /// Of each request, its room.
    asked: Vec<String>,
    sockets: Socket,
    /// Of each room, how many messages were acknowledged.
    acknowledged: BTreeMap<String, usize>,
}

impl Notes {
    fn note(&mut self, fact: Fact) {
        self.facts.push((now(), fact));
    }
}

/// Milliseconds since the simulator's worlds begin.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis();
    time::since_beginning(u64::try_from(now).expect("milliseconds"))
}

impl Chronicle {
    fn with<T>(&self, work: impl FnOnce(&mut Notes) -> T) -> T {
        work(&mut self.0.lock().expect("nobody panics while it notes something"))
    }

    /// Notes what happened now.
    pub(crate) fn note(&self, fact: Fact) {
        self.with(|notes| notes.note(fact));
    }

    /// Notes that a user asks something of a room.
    pub(crate) fn ask(&self, user: &str, room: &str, deed: Deed, dialect: &'static str) -> Ask {
        let (user, room) = (user.to_owned(), room.to_owned());
        self.with(|notes| {
            let ask = notes.asked.len();
            notes.asked.push(room.clone());
            notes.note(Fact::Asked { ask, user, room, deed, dialect });
            ask
        })
    }

    /// Notes that a message was acknowledged, under this id if one was told.
    pub(crate) fn acknowledge(&self, ask: Ask, message: Option<String>) {
        self.with(|notes| {
            let room = notes.asked[ask].clone();
            *notes.acknowledged.entry(room).or_default() += 1;
            notes.note(Fact::Answered { ask, outcome: Outcome::Done { message, read: None } });
        });
    }

    /// Notes what a list showed, oldest first: the messages' ids, and what they say.
    pub(crate) fn read(&self, ask: Ask, shown: Vec<(String, String)>) {
        self.note(Fact::Answered { ask, outcome: Outcome::Done { message: None, read: Some(shown) } });
    }

    /// Notes that somebody opens a socket.
    pub(crate) fn open(&self, user: &str, device: usize, dialect: &'static str) -> Socket {
        let user = user.to_owned();
        self.with(|notes| {
            let socket = notes.sockets;
            notes.sockets += 1;
            notes.note(Fact::Opening { socket, user, device, dialect });
            socket
        })
    }

    /// How many messages were acknowledged in a room.
    pub(crate) fn acknowledged_in(&self, room: &str) -> usize {
        self.with(|notes| notes.acknowledged.get(room).copied().unwrap_or_default())
    }

    /// Everything so far.
    pub(crate) fn facts(&self) -> Vec<(u64, Fact)> {
        self.with(|notes| notes.facts.clone())
    }
}
