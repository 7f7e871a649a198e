//! The connections of a world: what API Gateway has, and what becomes of a frame on its way.
//!
//! A connection that takes frames which nobody receives never recovers, and its client notices in the end: so a
//! lost frame is always the last thing that is lost on its connection, as on TCP.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use domain::Dialect;
use handlers::gateway::{PostError, Sockets};
use tokio::sync::mpsc;

use super::{dice::Dice, time, weather::Weather};

/// What a client gets on its socket.
#[derive(Debug)]
pub enum Received {
    /// A frame.
    Frame(Bytes),
    /// The server closed it.
    Closed,
    /// Nothing will come any more, and the client does not know.
    Silence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Its `$connect` is under way.
    Coming,
    Open,
    /// It takes nothing until then.
    Stuck(u64),
    Deaf,
    Gone,
}

#[derive(Debug)]
struct Line {
    dialect: Dialect,
    life: Life,
    client: mpsc::UnboundedSender<Received>,
}

/// All connections there ever were.
#[derive(Debug, Clone)]
pub struct Lines {
    all: Arc<Mutex<BTreeMap<String, Line>>>,
    /// Connections that said in fair weather that they are gone.
    gone: Arc<Mutex<BTreeSet<String>>>,
    dice: Dice,
    weather: Weather,
}

impl Lines {
    /// None yet.
    #[must_use]
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self { all: Arc::default(), gone: Arc::default(), dice: Dice::new(seed, "gateway"), weather }
    }

    fn with<T>(&self, id: &str, change: impl FnOnce(&mut Line) -> T) -> Option<T> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id).map(change)
    }

    /// A handshake begins.
    #[must_use]
    pub fn come(&self, id: &str, dialect: Dialect) -> mpsc::UnboundedReceiver<Received> {
        let (client, received) = mpsc::unbounded_channel();
        let line = Line { dialect, life: Life::Coming, client };
        self.all.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), line);
        received
    }

    /// The handshake was accepted.
    pub fn open(&self, id: &str) {
        self.with(id, |line| line.life = Life::Open);
    }

    /// The connection ends, from whichever side.
    pub fn end(&self, id: &str) {
        self.with(id, |line| line.life = Life::Gone);
    }

    /// The connections that said in fair weather that they are gone: nothing is to know them any more.
    #[must_use]
    pub fn gone(&self) -> BTreeSet<String> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is open, and well.
    #[must_use]
    pub fn is_open(&self, id: &str) -> bool {
        self.with(id, |line| line.life == Life::Open).unwrap_or(false)
    }
}

impl Sockets for Lines {
    fn post(&self, dialect: Dialect, connection: &str, frame: Bytes) -> Result<(), PostError> {
        let rates = self.weather.rates();
        let answer = self.with(connection, |line| {
            if line.dialect != dialect {
                return Err(PostError::Refused);
            }
            if let Life::Stuck(until) = line.life {
                if time::millis() < until && !self.weather.is_fair() {
                    return Err(PostError::Later);
                }
                line.life = Life::Open;
            }
            match line.life {
                Life::Gone => return Err(PostError::Gone),
                Life::Coming => return Err(PostError::Later),
                Life::Deaf => return Ok(()),
                Life::Open | Life::Stuck(_) => {}
            }
            if self.weather.strikes(&self.dice, rates.later) {
                return Err(PostError::Later);
            }
            if self.weather.strikes(&self.dice, rates.stuck) {
                // Some take nothing for longer than anybody may wait.
                let most = if self.dice.permille(300) { 900_000 } else { 12_000 };
                line.life = Life::Stuck(time::millis() + self.dice.between(100, most));
                return Err(PostError::Later);
            }
            if self.weather.strikes(&self.dice, rates.deaf) {
                line.life = Life::Deaf;
                let _ = line.client.send(Received::Silence);
                return Ok(());
            }
            line.client.send(Received::Frame(frame)).map_err(|_closed| PostError::Gone)
        });
        let answer = answer.unwrap_or(Err(PostError::Gone));
        if answer == Err(PostError::Gone) && self.weather.is_fair() {
            self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.to_owned());
        }
        answer
    }

    fn close(&self, _dialect: Dialect, connection: &str) {
        self.with(connection, |line| {
            if line.life != Life::Gone {
                line.life = Life::Gone;
                let _ = line.client.send(Received::Closed);
            }
        });
    }
}
