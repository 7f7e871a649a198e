//! What must hold in the end: what the simulator's checker demands of a world, of what the clients saw and of the
//! table as the last death left it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use switchboard::dynamodb::embedded::Embedded;
use tests::simulation::{
    beside, checker,
    history::{Deed, Fact, Outcome},
    log::{self, Event},
    table,
    world::Run,
};

use crate::{
    DEVICE, LISTENER, Soak,
    harness::{http::Api, program::Program},
    sockets::Device,
    user,
};

/// A room: its id and its number.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) number: u64,
}

/// The last message of a room, as each dialect names it.
#[derive(Debug)]
pub(crate) struct Last([Value; 3]);

impl Last {
    /// The room's last message.
    pub(crate) async fn of(api: &Api, room: &Room) -> Self {
        let page = api.get(&format!("/channels/{}/messages?limit=1", room.id)).await.expect(200);
        let last = &page["data"][0];
        let number = numbered(api, room).await.last().expect("there are messages").0;
        Self([last["message_id"].clone(), last["content"].clone(), number.into()])
    }

    /// Whether a frame tells of it.
    pub(crate) fn is_in(&self, frame: &Value) -> bool {
        match frame {
            Value::Array(parts) => parts.iter().any(|part| self.is_in(part)),
            Value::Object(parts) => parts.values().any(|part| self.is_in(part)),
            one => self.0.contains(one),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A room's messages by the events dialect, oldest first: their numbers, and what they say.
async fn numbered(api: &Api, room: &Room) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> = Vec::new();
    loop {
        let cursor = all.last().map(|(number, _)| format!("&cursor={number}")).unwrap_or_default();
        let path = format!("/api/v1/rooms/{}/messages?limit=200&direction=forward{cursor}", room.number);
        let page = api.get(&path).await.expect(200);
        let page = page["messages"].as_array().expect("a list");
        let before = all.len();
        // The cursor is inclusive.
        let new = page.iter().map(|one| (one["messageId"].as_u64().expect("a number"), text(&one["text"])));
        let last = all.last().map_or(0, |(number, _)| *number);
        all.extend(new.filter(|(number, _)| *number > last));
        if all.len() == before {
            return all;
        }
    }
}

/// By Channelize, oldest first.
async fn by_channelize(api: &Api, room: &Room) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for skip in (0..).step_by(200) {
        let path = format!(
            "/v2/conversations/{}/messages?types=normal&limit=200&skip={skip}&sort=updatedAt+ASC",
            room.id
        );
        let page = api.get(&path).await.expect(200);
        let page = page.as_array().expect("a list");
        all.extend(page.iter().map(|one| (text(&one["id"]), text(&one["body"]))));
        if page.len() < 200 {
            break;
        }
    }
    all
}

/// By the channels dialect, oldest first.
async fn by_channels(api: &Api, room: &Room) -> Vec<(String, String)> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/channels/{}/messages?limit=100{cursor}", room.id)).await.expect(200);
        let messages = page["data"].as_array().expect("a list").iter();
        all.extend(messages.map(|one| (text(&one["message_id"]), text(&one["content"]))));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    all.reverse();
    all
}

/// Reads everything once more, in each dialect that lists and by resuming; ends the program; and asks the checker.
/// Prints what there was, and gives back what does not hold.
pub(crate) async fn check(soak: &Soak, mut program: Program, folder: &Path) -> Vec<String> {
    let chronicle = &soak.chronicle;
    chronicle.note(Fact::Cleared);
    let api = user(&program, DEVICE);
    let ask = |room: &Room, dialect| chronicle.ask(DEVICE, &room.id, Deed::Read, dialect);
    let mut by_number = Vec::new();
    for (n, room) in soak.rooms.iter().enumerate() {
        let asked = ask(room, "channels");
        chronicle.read(asked, by_channels(&api, room).await);
        let asked = ask(room, "channelize");
        chronicle.read(asked, by_channelize(&api, room).await);
        by_number.push((ask(room, "events"), numbered(&api, room).await));
        // Another device resumes from the beginning.
        let epoch = soak.device.positions.lock().unwrap()[&room.id].0.clone();
        let positions = Arc::new(Mutex::new(BTreeMap::from([(room.id.clone(), (epoch, 0))])));
        let newcomer = Device { number: 100 + n, positions, ..soak.device.clone() };
        let resumed = newcomer.resume(&program.address, std::slice::from_ref(&room.id)).await;
        resumed.expect("the program answers").reading.abort();
    }
    let all: Vec<String> = soak.rooms.iter().map(|room| room.id.clone()).collect();
    let resumed = soak.device.resume(&program.address, &all).await;
    resumed.expect("the program answers").reading.abort();
    program.kill();

    let table = Embedded::open(&folder.join("data.db")).expect("the data file can be opened");
    let items = beside::items(&table).expect("the table can be read");
    let inserted: Vec<Value> = items.iter().filter(|item| table::place(item).is_some()).cloned().collect();
    let logs = log::read(&inserted, &[], &BTreeMap::new()).expect("logs");
    for (asked, numbers) in by_number {
        let id =
            |packed: u64| match logs.get(&(packed >> 27))?.entries.get(&(packed & ((1 << 27) - 1)))?.event {
                Event::Message { ref id, .. } => Some(id.clone()),
                _ => None,
            };
        chronicle.read(
            asked,
            numbers.into_iter().map(|(one, text)| (id(one).unwrap_or_default(), text)).collect(),
        );
    }
    let facts = chronicle.facts();
    let run = Run { facts, items, inserted, ..Run::default() };
    let violations = checker::check(&run);
    tell(soak, &run, violations.len());
    violations.iter().map(|violation| format!("{}: {}", violation.rule, violation.what)).collect()
}

/// Prints what there was.
fn tell(soak: &Soak, run: &Run, violations: usize) {
    let count = |such: &dyn Fn(&Fact) -> bool| run.facts.iter().filter(|(_, fact)| such(fact)).count();
    let said = count(&|fact| matches!(fact, Fact::Asked { deed: Deed::Say { .. }, .. }));
    let acknowledged =
        count(&|fact| matches!(fact, Fact::Answered { outcome: Outcome::Done { read: None, .. }, .. }));
    let heard = count(&|fact| matches!(fact, Fact::Heard { .. }));
    let resumed: BTreeSet<usize> = run
        .facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Subscribing { socket, after: Some(_), .. } => Some(*socket),
            _ => None,
        })
        .collect();
    println!(
        "{} lives ended by kill -9 under load, {} while starting; {} rooms\n\
         {acknowledged} messages acknowledged, {} of them when they were sent again; {} never answered\n\
         {} resumes; {} and others heard {heard} frames\n\
         {violations} things that do not hold",
        soak.lives,
        soak.stillborn,
        soak.rooms.len(),
        soak.repeated.lock().unwrap(),
        said - acknowledged,
        resumed.len(),
        LISTENER,
    );
}
