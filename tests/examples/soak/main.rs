//! The real program under load from all five dialects, killed with -9 again and again.
//!
//! ```sh
//! cargo run -p tests --example soak -- --minutes 5
//! ```
//!
//! `--seconds` for a shorter one, `--seed` for other times of death. Each life of the program has a writer in every
//! dialect and a listener in each that has a socket, and ends at a random moment; now and then one ends while it is
//! still starting. What was not answered is sent again under the same name where the dialect has one. In the end every
//! list is read in three dialects, a device resumes where it was and others from the beginning, and the simulator's
//! checker (`tests/src/simulation/checker.rs`) judges what all of them saw, and the table:
//!
//! - what was acknowledged is there once, under its id; what was not, at most once; and nothing else;
//! - every list shows one order, numbered without a gap;
//! - a device that resumed after every death has exactly the log;
//! - every socket heard, in its life, a part of the log without a gap, in order, and the last ones everything.
//!
//! It ends with an error if something of that is not so.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is not as it must be ends the check"
)]

mod checks;
mod chronicle;
mod harness;
mod sockets;
mod writers;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::Dialect;
use serde_json::json;
use tests::simulation::history::Fact;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    checks::{Last, Room},
    chronicle::Chronicle,
    harness::{
        Dice,
        http::{Api, basic},
        program::{self, Program},
        secrets, token, within,
    },
    sockets::{Device, Listener},
    writers::{Place, Writer},
};

/// The longest life under load, in milliseconds.
const LONGEST: u64 = 2_500;
/// A room with as many messages is left for a new one: a resume reaches back 1,000 entries.
const FULL: usize = 350;
/// Whose device it is that resumes; and whose sockets listen.
const DEVICE: &str = "device";
const LISTENER: &str = "listener";

/// What is to be done.
struct Wish {
    time: Duration,
    seed: u64,
}

fn wish() -> Wish {
    let mut wish = Wish { time: Duration::from_secs(60), seed: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = value.parse::<f64>().unwrap_or_else(|_| panic!("{flag} takes a number, not {value:?}"));
        match flag.as_str() {
            "--minutes" => wish.time = Duration::from_secs_f64(60.0 * number),
            "--seconds" => wish.time = Duration::from_secs_f64(number),
            "--seed" => wish.seed = number as u64,
            _ => panic!("{flag}? There are --minutes, --seconds and --seed"),
        }
    }
    wish
}

/// Everything that outlives the program.
struct Soak {
    chronicle: Arc<Chronicle>,
    repeated: Arc<Mutex<usize>>,
    writers: Vec<Writer>,
    device: Device,
    rooms: Vec<Room>,
    lives: usize,
    dice: Dice,
    stillborn: usize,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let (chronicle, repeated) = (Arc::new(Chronicle::default()), Arc::default());
        let writer = |dialect| Writer::new(dialect, Arc::clone(&chronicle), Arc::clone(&repeated));
        let writers = Dialect::ALL.into_iter().map(writer).collect();
        let device =
            Device { user: DEVICE, number: 0, positions: Arc::default(), chronicle: Arc::clone(&chronicle) };
        Self {
            writers,
            chronicle,
            repeated,
            device,
            rooms: Vec::new(),
            lives: 0,
            dice: Dice::new(seed),
            stillborn: 0,
        }
    }

    /// The room to write to: a new one, when the last one is full.
    async fn room(&mut self, program: &Program) -> Room {
        let last = self.rooms.last();
        if let Some(last) = last.filter(|room| self.chronicle.acknowledged_in(&room.id) < FULL) {
            return last.clone();
        }
        let (id, since) = (format!("room-{}", self.rooms.len()), chronicle::now());
        let server = program.api(basic(&secrets().server)).with("user-id", LISTENER);
        let mut members: Vec<String> = self.writers.iter().map(|writer| writer.user.clone()).collect();
        members.extend([DEVICE.to_owned(), LISTENER.to_owned()]);
        let body = json!({"id": id, "title": id, "type": "private", "isGroup": true, "members": members});
        server.post("/v2/conversations", body).await.expect(201);
        let rooms = user(program, LISTENER).get("/api/v1/rooms").await.expect(200);
        let named = rooms["rooms"].as_array().unwrap().iter().find(|room| room["name"] == id.as_str());
        let number = named.expect("the new room is listed")["roomId"].as_u64().unwrap();
        let (room, visibility) = (id.clone(), "private".to_owned());
        self.chronicle.note(Fact::Room { room, number, since, visibility });
        self.rooms.push(Room { id, number });
        self.rooms.last().unwrap().clone()
    }

    /// A life under load. It ends by `kill -9` in the middle; the last one when its writers are done.
    async fn live(&mut self, folder: &Path, last: bool) {
        let mut program = Program::start(folder, &["--data", "data.db"]);
        let room = self.room(&program).await;
        // In rooms that were left, too, something may be sent again.
        let rooms: Vec<String> = self.rooms.iter().map(|room| room.id.clone()).collect();
        let device = self.device.resume(&program.address, &rooms).await.expect("the device comes back");
        let mut listening = self.listen(&program, &rooms).await;
        listening.push(device);
        let enough = Arc::new(AtomicBool::new(false));
        let mut writing = JoinSet::new();
        for writer in self.writers.drain(..) {
            let api = user(&program, &writer.user);
            let place =
                Place { api, address: program.address.clone(), room: room.id.clone(), number: room.number };
            writing.spawn(writer.write(place, Arc::clone(&enough)));
        }
        sleep(Duration::from_millis(self.dice.between(300, LONGEST))).await;
        // And not at a whole millisecond.
        sleep(Duration::from_micros(self.dice.between(0, 999))).await;
        if last {
            enough.store(true, Ordering::Relaxed);
            self.writers = within("the writers", writing.join_all()).await;
            self.hear_the_end(&user(&program, DEVICE), &room, &listening).await;
            program.kill();
        } else {
            program.kill();
            self.writers = within("the writers", writing.join_all()).await;
        }
        for Listener { socket, reading } in listening {
            within("a listener", reading).await.expect("a listener reads on");
            // The checker's words: who is well until the last must have heard everything.
            self.chronicle.note(Fact::Closed { socket, by: if last { "last" } else { "silence" } });
        }
        self.lives += usize::from(!last);
    }

    /// Waits until the device and all listeners have heard the last message.
    async fn hear_the_end(&self, api: &Api, room: &Room, listening: &[Listener]) {
        let last = Last::of(api, room).await;
        let told = |one: &Listener| {
            let tells = |fact: &Fact| matches!(fact, Fact::Heard { socket, frame } if *socket == one.socket && last.is_in(frame));
            self.chronicle.facts().iter().any(|(_, fact)| tells(fact))
        };
        let everybody = async {
            while !listening.iter().all(told) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        within("the last message, heard by everybody", everybody).await;
    }

    /// The listeners of one life, in each dialect that tells without being asked what was missed.
    async fn listen(&self, program: &Program, rooms: &[String]) -> Vec<Listener> {
        let (address, chronicle) = (&program.address, &self.chronicle);
        let now = handlers::context::Clock::system().now();
        let signed = dialects::channelstream::signature::sign("x", &secrets().server, now);
        let server = program.api(basic(&secrets().server)).with("x-channelstream-secret", &signed);
        let open = |device, dialect: Dialect| chronicle.open(LISTENER, device, dialect.name());
        let (events, channelstream, nkchat) =
            (open(1, Dialect::Events), open(2, Dialect::Channelstream), open(3, Dialect::Nkchat));
        let asked = json!({"username": LISTENER, "channels": rooms});
        let connected = server.post("/connect", asked).await.expect(200);
        assert_eq!(connected["channels"].as_array().map(Vec::len), Some(rooms.len()));
        let conn_id = connected["conn_id"].as_str().unwrap();
        let urls = [
            (events, format!("ws://{address}/api/v1/events?token={}", token(LISTENER))),
            (channelstream, format!("ws://{address}/ws?conn_id={conn_id}")),
        ];
        let gone = "the program listens";
        let mut listening = Vec::new();
        for (socket, url) in urls {
            listening.push(sockets::listen(chronicle, socket, &url).await.expect(gone));
        }
        listening.push(sockets::nkchat(chronicle, nkchat, address, LISTENER).await.expect(gone));
        listening
    }

    /// A life that ends while the program starts.
    async fn miscarry(&mut self, folder: &Path) {
        let mut command = program::command(folder, &["--data", "data.db", "--port", "0"]);
        let secrets = secrets();
        command.env("SWITCHBOARD_SECRET", secrets.server).env("SWITCHBOARD_TOKEN_KEY", secrets.token_key);
        let mut child = command.spawn().expect("the program starts");
        sleep(Duration::from_micros(self.dice.between(0, 120_000))).await;
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        self.stillborn += 1;
    }
}

fn user(program: &Program, name: &str) -> Api {
    program.api(format!("Bearer {}", token(name)))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let wish = wish();
    let folder = tempfile::tempdir().expect("a folder");
    let mut soak = Soak::new(wish.seed);
    let began = Instant::now();
    while began.elapsed() < wish.time {
        soak.live(folder.path(), false).await;
        if soak.dice.between(1, 4) == 1 {
            soak.miscarry(folder.path()).await;
        }
    }
    soak.live(folder.path(), true).await;
    let program = Program::start(folder.path(), &["--data", "data.db"]);
    let faults = checks::check(&soak, program, folder.path()).await;
    println!("{:.0} s, seed {}", began.elapsed().as_secs_f64(), wish.seed);
    for fault in faults.iter().take(20) {
        println!("FAULT {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
