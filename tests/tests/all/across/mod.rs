//! One action, done in one dialect, as all five show it: heard on their sockets and read over their calls.
//!
//! # Layout
//! - [`table`]: the table: which dialect can do what, and what each must show of it. It is in
//!   `docs/compatibility.md`, too.
//! - [`drivers`]: how each dialect does what it can.
//! - [`watchers`]: what each dialect's client hears, and reads.
//! - [`edits`]: an edit is shown to who may see the message.
//! - [`come`]: who came in by one dialect hears and reads in all.
//! - [`gone`]: who was sent away in one dialect hears and reads nothing in any.
//! - [`payload`]: what a dialect cannot express survives what it does.
//!
//! Ann owns the conversation and acts; five members watch, each as a client of one dialect; Tom comes and goes.

mod come;
mod drivers;
mod edits;
mod gone;
mod payload;
mod table;
mod watchers;

use std::collections::BTreeMap;

use domain::{Dialect, Event};
use serde_json::{Value, json};
use store::log::Span;

use self::{drivers::Action, watchers::Watchers};
use crate::{
    channelstream::signed,
    harness::{Server, packed},
};

/// Everybody there is, numbered from 1 on.
const USERS: [&str; 7] = ["ann", "tom", "stream", "chan", "nora", "cleo", "eve"];

/// A conversation whose members are watched.
struct World {
    server: Server,
    watchers: Watchers,
    scene: Scene,
}

/// What is talked of.
#[derive(Default)]
struct Scene {
    /// The conversation.
    id: String,
    /// Its number.
    room: u64,
    /// What the messages are called in the table, by their ids in every dialect.
    names: BTreeMap<String, &'static str>,
    /// The messages' ids and numbers, by what they are called.
    messages: BTreeMap<&'static str, (String, u64)>,
}

impl Scene {
    /// What a message is called in the table: by its id, or its number.
    fn name(&self, id: &Value) -> &str {
        let key = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        self.names.get(&key).copied().unwrap_or("?")
    }

    /// A message's id.
    fn uuid(&self, name: &str) -> &str {
        &self.messages[name].0
    }

    /// A message's number.
    fn number(&self, name: &str) -> u64 {
        self.messages[name].1
    }
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        server.make_users(&USERS).await;
        let watchers = Watchers::open(&server).await;
        Self { server, watchers, scene: Scene::default() }
    }

    /// Another conversation, of these members, with everybody watching and nothing to be heard of it yet.
    async fn gather(&mut self, members: &[&str]) {
        let id = self.server.make_conversation("public", members).await;
        let config = json!({&id: {"store_history": true}});
        signed(&self.server).post("/channel_config", config).await.expect(200);
        let room = self.server.number(&id).await.0;
        self.scene = Scene { id, room, ..Scene::default() };
        self.watchers.follow(&self.server, &self.scene.id).await;
        self.watchers.heard(&self.server, &self.scene).await;
    }

    /// Does an action in a dialect.
    async fn act(&mut self, by: Dialect, action: Action) {
        drivers::act(&self.server, &self.scene, by, action).await;
    }

    /// The newest entry is a message: it is called so from now on.
    async fn call_newest(&mut self, name: &'static str) {
        let number = domain::Number(self.scene.room);
        let store = &self.server.running.context.store;
        let newest = store.entries(number, Span::Before(None), 1, true).await.unwrap();
        let Event::MessageCreated(message) = &newest.entries[0].event else {
            panic!("no message: {:?}", newest.entries[0])
        };
        let number = packed(self.scene.room, message.place.seq.0);
        let uuid = message.id.as_str().to_owned();
        self.scene.names.insert(uuid.clone(), name);
        self.scene.names.insert(number.to_string(), name);
        self.scene.messages.insert(name, (uuid, number));
    }

    /// Ann has said something in a dialect: it is called so, and nobody is about to hear it any more.
    async fn said(&mut self, by: Dialect, name: &'static str) {
        self.act(by, Action::Send("before")).await;
        self.call_newest(name).await;
        self.watchers.heard(&self.server, &self.scene).await;
    }
}

/// The members that each watch by a dialect; with `more`.
fn members(more: &[&'static str]) -> Vec<&'static str> {
    let all = USERS.iter().filter(|user| **user != "tom").copied();
    all.chain(more.iter().copied()).collect()
}

/// The next dialect, and after the last the first.
fn after(dialect: Dialect) -> Dialect {
    let at = Dialect::ALL.iter().position(|one| *one == dialect).unwrap();
    Dialect::ALL[(at + 1) % Dialect::ALL.len()]
}

#[tokio::test]
async fn what_one_dialect_does_every_other_shows_as_the_table_says() {
    let mut world = World::new().await;
    let mut failures = Vec::new();
    for case in table::CASES {
        for by in Dialect::ALL {
            if drivers::lack(by, case.action).is_some() {
                continue;
            }
            failures.extend(case_by(&mut world, case, by).await);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{}", table::markdown());
    table::assert_documented();
    drop(world.watchers);
    world.server.end().await;
}

/// Does a case in one dialect; the cells that are not as the table says.
async fn case_by(world: &mut World, case: &table::Case, by: Dialect) -> Vec<String> {
    let tom_is_in = matches!(case.action, Action::Leave | Action::Remove | Action::Kick | Action::Ban);
    world.gather(&members(if tom_is_in { &["tom"] } else { &[] })).await;
    // What is edited, deleted and replied to was said in another dialect.
    match case.action {
        Action::Edit(_) | Action::Delete => world.said(after(by), "M").await,
        Action::Reply(_) => world.said(after(by), "P").await,
        _ => {}
    }
    world.act(by, case.action).await;
    if matches!(case.action, Action::Send(_) | Action::Reply(_)) {
        world.call_newest("M").await;
    }
    let heard = world.watchers.heard(&world.server, &world.scene).await;
    let read = watchers::read(&world.server, &world.scene, case.action).await;
    let mut failures = Vec::new();
    for (at, dialect) in Dialect::ALL.into_iter().enumerate() {
        for (what, is, due) in
            [("hears", &heard[&dialect], case.hears[at]), ("reads", &read[&dialect], case.reads[at])]
        {
            if is != due {
                failures.push(format!(
                    "{:?} by {}: {} {what} `{is}`, not `{due}`",
                    case.action,
                    dialect.name(),
                    dialect.name()
                ));
            }
        }
    }
    failures
}
