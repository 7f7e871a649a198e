//! What happened in a world, as those in it saw it: what was asked and answered, what was heard and when.
//!
//! Nothing of it is what the program says about itself: a client's view, in the order of virtual time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use super::time;

/// A request: its number in the world.
pub type Ask = usize;
/// A socket: its number in the world.
pub type Socket = usize;

/// What somebody wants to be done in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// To write a message of this text, which no other message has.
    Say {
        /// The text.
        text: String,
        /// For these and the author only; empty: for all.
        only: Vec<String>,
        /// Not for these.
        except: Vec<String>,
    },
    /// To change something else than by a new message.
    Change(&'static str),
    /// To read the messages.
    Read,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done: the message's id, where one was written and told; the texts, where they were read.
    Done {
        /// The id of the message that was written.
        message: Option<String>,
        /// The messages that were read, oldest first: their ids, and what they say.
        read: Option<Vec<(String, String)>>,
    },
    /// It was refused: nothing was done.
    Refused(u16),
    /// Nobody knows: no answer, or "later".
    Unknown,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A room was made, or made again when it had ended and everything was quiet: that is another one.
    Room {
        /// Its id.
        room: String,
        /// Its log's number.
        number: u64,
        /// Since when the id names it.
        since: u64,
        /// `private`, `public`, `open`.
        visibility: String,
    },
    /// A user asked something of a room.
    Asked {
        /// The request.
        ask: Ask,
        /// Who.
        user: String,
        /// Where.
        room: String,
        /// What.
        deed: Deed,
        /// In which dialect.
        dialect: &'static str,
    },
    /// A request came to its end.
    Answered {
        /// The request.
        ask: Ask,
        /// How.
        outcome: Outcome,
    },
    /// A user opens a socket: `device` is the same one when it comes back.
    Opening {
        /// The socket.
        socket: Socket,
        /// Whose.
        user: String,
        /// Which of the user's devices.
        device: usize,
        /// What it speaks.
        dialect: &'static str,
    },
    /// From now on the socket is told what its user may hear.
    Listening {
        /// The socket.
        socket: Socket,
    },
    /// A socket asks for a room's events, after those that its device has.
    Subscribing {
        /// The socket.
        socket: Socket,
        /// The room.
        room: String,
        /// The last entry that the device has; none: it begins.
        after: Option<u64>,
        /// The life of the log that it has it of.
        epoch: Option<String>,
    },
    /// It gets them, from this entry on.
    Subscribed {
        /// The socket.
        socket: Socket,
        /// The room.
        room: String,
        /// The entry up to which it was told what it had missed.
        seq: u64,
        /// Whether it was told all that.
        recovered: bool,
        /// The life of the log.
        epoch: String,
    },
    /// It does not get them.
    Barred {
        /// The socket.
        socket: Socket,
        /// The room.
        room: String,
        /// Why.
        code: String,
    },
    /// A chunk of a large audience was given up, after so many attempts as its queue makes.
    GivenUp {
        /// It.
        chunk: Value,
    },
    /// Records of the stream were given up by its trigger.
    DeadLetter {
        /// The items that they were of: partition key and sort key.
        keys: Vec<String>,
        /// For what: their age, or so many attempts.
        why: &'static str,
    },
    /// Items whose time to live was over were removed.
    Expired {
        /// How many.
        items: usize,
    },
    /// A frame was received.
    Heard {
        /// The socket.
        socket: Socket,
        /// It.
        frame: Value,
    },
    /// A socket ended.
    Closed {
        /// The socket.
        socket: Socket,
        /// By whom.
        by: &'static str,
    },
    /// The stream's function took longer than it may.
    Overdue,
    /// A function panicked.
    Panicked {
        /// Which.
        function: &'static str,
    },
    /// The weather clears: all that follows has no fault.
    Cleared,
}

/// All that happened, in order.
#[derive(Debug, Clone, Default)]
pub struct History(Arc<Mutex<Vec<(u64, Fact)>>>);

impl History {
    /// Notes that something happened now.
    pub fn note(&self, fact: Fact) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((time::millis(), fact));
    }

    /// Everything, with the virtual milliseconds.
    #[must_use]
    pub fn facts(&self) -> Vec<(u64, Fact)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A number that is the same for the same history. Ids that the program drew by chance count by the place that
/// they name, or not at all.
#[must_use]
pub fn hash(facts: &[(u64, Fact)]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (at, fact) in facts {
        for byte in format!("{at} {fact};").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// The place that a minted message id names: a UUIDv8 of 40 bits of number, 40 of seq, 42 by chance, around the
/// six bits that are the format's.
#[must_use]
pub fn place(id: &str) -> Option<(u64, u64)> {
    let digits: String = id.chars().filter(|one| *one != '-').collect();
    let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| id.len() == 36)?;
    if (bits >> 76) & 0xf != 8 {
        return None;
    }
    let joined = ((bits >> 80) << 74) | (((bits >> 64) & 0xfff) << 62) | (bits & ((1 << 62) - 1));
    let part = |shift: u32| u64::try_from((joined >> shift) & ((1 << 40) - 1)).ok();
    Some((part(82)?, part(42)?))
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room { room, visibility, .. } => write!(f, "{room} is made, {visibility}"),
            Self::Asked { ask, user, deed, dialect, .. } => write!(f, "#{ask} {user} {dialect} {deed:?}"),
            Self::Answered { ask, outcome } => write!(f, "#{ask} {outcome}"),
            Self::Opening { socket, user, device, dialect } => {
                write!(f, "socket {socket}: {user}'s device {device} opens {dialect}")
            }
            Self::Listening { socket } => write!(f, "socket {socket} listens"),
            Self::Subscribing { socket, after, .. } => {
                write!(f, "socket {socket} subscribes after {after:?}")
            }
            Self::Subscribed { socket, seq, recovered, .. } => {
                write!(f, "socket {socket} subscribed at {seq}, recovered: {recovered}")
            }
            Self::Barred { socket, code, .. } => write!(f, "socket {socket} barred: {code}"),
            Self::Heard { socket, frame } => write!(f, "socket {socket} hears {}", brief(frame)),
            Self::Closed { socket, by } => write!(f, "socket {socket} closed by {by}"),
            Self::GivenUp { chunk } => write!(f, "given up: {chunk}"),
            Self::DeadLetter { keys, why } => {
                write!(f, "dead letters, for {why}:")?;
                // A sort key may be an id that the program drew by chance.
                keys.iter().try_for_each(|key| match key.strip_prefix("LOG#") {
                    Some(entry) => write!(f, " entry {entry}"),
                    None => write!(f, " {}", key.split('#').next().unwrap_or_default()),
                })
            }
            Self::Expired { items } => write!(f, "{items} items whose time was over are gone"),
            Self::Overdue => f.write_str("a function that delivers is overdue"),
            Self::Panicked { function } => write!(f, "{function} panicked"),
            Self::Cleared => f.write_str("the weather clears"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { message, read } => {
                write!(f, "done {:?}", message.as_deref().and_then(place))?;
                match read {
                    Some(read) => {
                        write!(f, " {:?}", read.iter().map(|(id, _)| place(id)).collect::<Vec<_>>())
                    }
                    None => Ok(()),
                }
            }
            Self::Refused(status) => write!(f, "refused {status}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A frame in short: its type and its numbers.
fn brief(frame: &Value) -> String {
    let events = match frame {
        Value::Array(events) => events.clone(),
        one => vec![one.clone()],
    };
    let of = |event: &Value| {
        let at = |path: &str| event.pointer(path).filter(|found| !found.is_null()).cloned();
        let kind = at("/type").or_else(|| at("/data/type")).or_else(|| at("/result")).unwrap_or_default();
        let ids = ["/uuid", "/data/body/message_id", "/data/message_id"];
        let id = ids.iter().find_map(|path| at(path)).and_then(|id| id.as_str().and_then(place));
        let numbers = ["/seq", "/tid", "/data/messageId", "/data/messages/0/messageId"];
        let number = numbers.iter().find_map(|path| at(path));
        format!("{kind} {id:?} {}", number.unwrap_or_default())
    };
    events.iter().map(of).collect::<Vec<_>>().join(", ")
}
