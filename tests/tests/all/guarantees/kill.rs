//! A process that is killed at any point loses nothing that it acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::heard_messages;
use crate::harness::{
    http::{Api, basic},
    program::Program,
    secrets,
    socket::Socket,
    token, within,
};

const ROUNDS: usize = 6;
const WRITERS: [&str; 4] = ["ann", "bob", "cat", "dan"];
/// A token that ends long after the machine's own clock.
const LATE: i64 = 4_000_000_000;

/// Messages of one life, at least.
const MESSAGES: usize = 40;
/// The runner remembers the stream's position four times a second.
const REMEMBERED: Duration = Duration::from_millis(400);

/// What was acknowledged: the text of each message, by its id.
type Acknowledged = Arc<Mutex<BTreeMap<String, String>>>;

async fn write_until_killed(api: Api, room: String, name: String, acknowledged: Acknowledged) {
    for number in 0.. {
        let text = format!("{name} {number}");
        let body = json!({"conversationId": room, "body": text});
        let Ok(answer) = api.try_to_ask("POST", "/v2/messages/send", Some(body)).await else { return };
        let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
        acknowledged.lock().unwrap().insert(id, text);
    }
}

/// Every message of the room, by its id.
async fn listed(api: &Api, room: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for skip in (0..).step_by(200) {
        let path = format!(
            "/v2/conversations/{room}/messages?types=normal&limit=200&skip={skip}&sort=updatedAt+ASC"
        );
        let page = api.get(&path).await.expect(200);
        let page = page.as_array().unwrap();
        for message in page {
            let text = |name: &str| message[name].as_str().unwrap().to_owned();
            assert_eq!(all.insert(text("id"), text("body")), None, "listed twice");
        }
        if page.len() < 200 {
            return all;
        }
    }
    unreachable!("the list ends")
}

fn texts(frames: &[Value]) -> Vec<String> {
    let created = frames.iter().filter(|frame| frame["type"] == "TextMessagesCreated");
    let messages = created.flat_map(|frame| frame["data"]["messages"].as_array().unwrap());
    messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

/// What writers were told, over all lives of the process.
#[derive(Default)]
struct Witness {
    acknowledged: Acknowledged,
}

impl Witness {
    /// A listener comes back, reads the list, and listens until the end of the round: between the two it missed
    /// nothing.
    async fn round(&self, round: usize, folder: &std::path::Path, room: &str, last: bool) {
        let mut program = Program::start(folder, &["--data", "data.db"]);
        let user = |name: &str| program.api(format!("Bearer {}", token(name, LATE)));
        let url = format!("ws://{}/api/v1/events?token={}", program.address, token("ann", LATE));
        let socket = Socket::open("ann", url).await.unwrap();
        self.assert_kept(round, &user("ann"), room).await;
        let mut writers = JoinSet::new();
        for name in WRITERS {
            let wrote = format!("round {round}: {name}");
            let acknowledged = Arc::clone(&self.acknowledged);
            writers.spawn(write_until_killed(user(name), room.to_owned(), wrote, acknowledged));
        }
        self.strike(round).await;
        if last {
            // Everything that was acknowledged in this life is heard in this life.
            let acknowledged = self.acknowledged.lock().unwrap().clone();
            let own: BTreeSet<String> = acknowledged
                .into_values()
                .filter(|text| text.starts_with(&format!("round {round}:")))
                .collect();
            let heard = socket.wait_until("everything", |heard| {
                let texts: BTreeSet<String> = texts(&heard.frames).into_iter().collect();
                own.is_subset(&texts)
            });
            heard.await;
        }
        program.kill();
        within("the writers", writers.join_all()).await;
        let heard = socket.wait_until("the end", |heard| heard.closed.is_some()).await;
        check(round, &heard.frames);
    }

    /// The list holds what was acknowledged in the lives before this one, each once.
    async fn assert_kept(&self, round: usize, api: &Api, room: &str) {
        let known = listed(api, room).await;
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        for (id, text) in &acknowledged {
            assert_eq!(known.get(id), Some(text), "acknowledged and lost before round {round}");
        }
        // What was written and never acknowledged may be there: one message of each writer and life.
        let unknown = known.len() - acknowledged.len();
        assert!(unknown <= round * WRITERS.len(), "{unknown} that nobody was told of");
    }

    /// Waits for a while that is another one each time: until enough messages are acknowledged, and long enough
    /// for the stream's position to be remembered, and then for some microseconds, to strike in the middle.
    async fn strike(&self, round: usize) {
        let before = self.acknowledged.lock().unwrap().len();
        let enough = async {
            while self.acknowledged.lock().unwrap().len() < before + MESSAGES {
                tokio::task::yield_now().await;
            }
        };
        within("messages", enough).await;
        tokio::time::sleep(REMEMBERED).await;
        let nanos =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
        let random = Duration::from_micros(u64::from(nanos / 1000 % 20_000));
        println!("round {round}: killed {random:?} later than the others");
        tokio::time::sleep(random).await;
    }
}

/// What was heard in one life has the order of the log and no hole, and is not older than the life before.
fn check(round: usize, frames: &[Value]) {
    let ids = heard_messages(frames);
    assert!(ids.is_sorted(), "in the order of the log, also what is delivered again");
    let heard = texts(frames);
    // The stream goes on where it was: what was written two lives ago is not delivered again.
    let ancient = |text: &String| {
        let of: usize = text["round ".len()..].split(':').next().unwrap().parse().unwrap();
        of + 2 <= round
    };
    assert!(!heard.iter().any(ancient), "{round}: {heard:?}");
    // Of this life, what was heard has no hole: each writer's numbers up to some last one.
    for name in WRITERS {
        let prefix = format!("round {round}: {name} ");
        let own: BTreeSet<usize> =
            heard.iter().filter_map(|text| text.strip_prefix(&prefix)?.parse().ok()).collect();
        assert_eq!(own, (0..own.len()).collect(), "{name} in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_acknowledged_is_there_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let room = {
        let program = Program::start(folder.path(), &["--data", "data.db"]);
        let server = program.api(basic(&secrets().server));
        let body = json!({"id": "room", "title": "Room", "isGroup": true, "members": WRITERS});
        server.with("user-id", "ann").post("/v2/conversations", body).await.expect(201);
        "room"
    };
    let witness = Witness::default();
    for round in 0..ROUNDS {
        witness.round(round, folder.path(), room, round + 1 == ROUNDS).await;
    }
    let program = Program::start(folder.path(), &["--data", "data.db"]);
    let ann = program.api(format!("Bearer {}", token("ann", LATE)));
    witness.assert_kept(ROUNDS, &ann, room).await;
    assert!(witness.acknowledged.lock().unwrap().len() >= ROUNDS * MESSAGES);
}
