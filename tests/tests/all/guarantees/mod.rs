//! What holds whatever happens at once: one order, nothing lost, once means once, a ban is not overtaken.
//!
//! Writers go through several instances over one table, each with a store of its own, as processes have: so the
//! courtesy lock inside a process hides nothing, and only the conditional put keeps the log right.

mod contention;
mod kill;
mod reach;
mod recent;
mod turns;

use std::{collections::BTreeSet, sync::Arc};

use domain::{ConversationId, Dialect, Entry, Error, Event, Message, MessageId, Number, Seq, UserId};
use handlers::{
    auth::Caller,
    context::Context,
    operations::{
        membership,
        send::{self, Draft},
    },
};
use serde_json::Value;
use store::{Store, log::Span};

use crate::harness::{Server, packed, within};

const INSTANCES: usize = 4;

/// Another instance over the server's table: it shares nothing with it but that.
fn instance(server: &Server) -> Arc<Context> {
    let first = &server.running.context;
    Arc::new(Context {
        attachments: handlers::attachments::Attachments::Nowhere,
        store: Store::new(server.running.items.clone(), server.running.table.as_str()),
        gateway: first.gateway.clone(),
        road: handlers::delivery::road::Road::default(),
        secrets: first.secrets.clone(),
        clock: first.clock.clone(),
        allowed_origins: Vec::new(),
    })
}

fn caller(user: &str) -> Caller {
    Caller { user: Some(UserId::parse(user).unwrap()), powerful: false, server: false }
}

/// Sends a message through an instance.
async fn send(cx: &Context, user: &str, room: &str, id: Option<&str>, text: &str) -> Result<Message, Error> {
    let mut draft = Draft { id: id.map(|id| MessageId::parse(id).unwrap()), ..Draft::default() };
    draft.content.text = Some(text.to_owned());
    let room = ConversationId::parse(room).unwrap();
    let mut sent = send::send(cx, &caller(user), Dialect::Channelize, &room, vec![draft]).await?.messages;
    assert_eq!(sent.len(), 1);
    Ok(sent.remove(0))
}

/// The whole log of a conversation, from the table, past the handlers.
async fn log(server: &Server, number: Number) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(Seq(0), Entry::seq);
        let page =
            server.running.context.store.entries(number, Span::After(after), 1_000, true).await.unwrap();
        entries.extend(page.entries);
        if !page.more {
            return entries;
        }
    }
}

/// The log is numbered from 1 on without a gap, and time never goes back in it.
fn assert_gap_free(log: &[Entry]) {
    let seqs: Vec<u64> = log.iter().map(|entry| entry.seq().0).collect();
    let expected: Vec<u64> = (1..).take(log.len()).collect();
    assert_eq!(seqs, expected);
    assert!(log.is_sorted_by_key(|entry| entry.at));
}

fn message(entry: &Entry) -> Option<&Message> {
    match &entry.event {
        Event::MessageCreated(message) => Some(message),
        _ => None,
    }
}

/// The ids of the messages that were heard, in the order in which they came.
fn heard_messages(frames: &[Value]) -> Vec<u64> {
    let created = frames.iter().filter(|frame| frame["type"] == "TextMessagesCreated");
    let messages = created.flat_map(|frame| frame["data"]["messages"].as_array().unwrap());
    messages.map(|message| message["messageId"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_take_each_number_once_and_all_hear_one_order() {
    const WRITERS: usize = 16;
    const EACH: usize = 12;
    let server = Server::start().await;
    let names: Vec<String> = (0..WRITERS).map(|n| format!("user-{n:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    server.make_users(&members).await;
    let room = server.make_conversation("private", &members).await;
    let mut sockets = Vec::new();
    for user in &members[..3] {
        sockets.push(server.listen(user).await);
    }
    let instances: Vec<_> = (0..INSTANCES).map(|_| instance(&server)).collect();
    let mut writers = tokio::task::JoinSet::new();
    for (n, user) in names.iter().cloned().enumerate() {
        let (cx, room) = (Arc::clone(&instances[n % INSTANCES]), room.clone());
        // A quarter of them over the wire.
        let api = (n % INSTANCES == 0).then(|| server.user(&user));
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..EACH {
                let text = format!("{user} {round}");
                let id = match &api {
                    Some(api) => api.send(&room, &text).await,
                    None => send(&cx, &user, &room, None, &text).await.unwrap().id.to_string(),
                };
                acknowledged.push((id, text));
            }
            acknowledged
        });
    }
    let acknowledged: Vec<_> =
        within("the writers", writers.join_all()).await.into_iter().flatten().collect();
    let number = server.number(&room).await;
    let log = log(&server, number).await;
    assert_gap_free(&log);
    let mut written: Vec<_> = log
        .iter()
        .filter_map(message)
        .map(|message| (message.id.to_string(), message.content.text.clone().unwrap()))
        .collect();
    assert_eq!(written.len(), WRITERS * EACH, "each acknowledged message once, and no other");
    let order: Vec<u64> =
        log.iter().filter(|entry| message(entry).is_some()).map(|entry| entry.seq().0).collect();
    written.sort();
    let mut expected = acknowledged;
    expected.sort();
    assert_eq!(written, expected);
    // Of each writer, in the order in which it wrote.
    for user in &names {
        let rounds: Vec<String> = log
            .iter()
            .filter_map(message)
            .filter(|message| message.author.as_str() == user)
            .map(|message| message.content.text.clone().unwrap())
            .collect();
        let expected: Vec<String> = (0..EACH).map(|round| format!("{user} {round}")).collect();
        assert_eq!(rounds, expected);
    }
    let order: Vec<u64> = order.into_iter().map(|seq| packed(number.0, seq)).collect();
    for socket in &mut sockets {
        let heard = heard_messages(&server.heard(socket).await);
        assert_eq!(heard, order, "{}", socket.user);
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_sent_by_many_at_once_is_one_message() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    let mut socket = server.listen("bob").await;
    server.heard(&mut socket).await;
    let minted_alike = server.user("ann").send(&room, "another").await;
    server.heard(&mut socket).await;
    let before = log(&server, server.number(&room).await).await.len();
    for id in ["5a928b10-4258-11ea-9c07-831a487bf6af", "my own id"] {
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..2 * INSTANCES {
            let (cx, room) = (instance(&server), room.clone());
            senders.spawn(async move { send(&cx, "ann", &room, Some(id), "once").await });
        }
        let sent = within("the senders", senders.join_all()).await;
        let places: BTreeSet<_> = sent.iter().map(|sent| sent.as_ref().unwrap().place).collect();
        assert_eq!(places.len(), 1, "{id}: {sent:?}");
        // What is not the same is refused, and changes nothing: other words, another sender.
        let cx = instance(&server);
        let other = send(&cx, "ann", &room, Some(id), "other words").await;
        assert!(matches!(other, Err(Error::Exists(_))), "{other:?}");
        let stolen = send(&cx, "bob", &room, Some(id), "once").await;
        assert!(matches!(stolen, Err(Error::Exists(_))), "{stolen:?}");
    }
    // An id that the server minted is taken, too.
    let cx = instance(&server);
    let again = send(&cx, "ann", &room, Some(&minted_alike), "another").await.unwrap();
    assert_eq!(again.id.as_str(), minted_alike);
    let log = log(&server, server.number(&room).await).await;
    assert_gap_free(&log);
    assert_eq!(log.len(), before + 2);
    assert_eq!(heard_messages(&server.heard(&mut socket).await).len(), 2);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_is_not_overtaken_by_a_message_of_the_banned() {
    for round in 0..4 {
        // Between two messages, up to 64 ms: other processes come to their turn.
        race_a_ban(5 * round, Some(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_comes_through_against_those_who_write_without_a_pause() {
    race_a_ban(5, None).await;
}

/// Bob is banned while he and Cat write, once so many messages are written.
async fn race_a_ban(after: usize, pause: Option<u32>) {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let room = server.make_conversation("open", &["ann", "bob", "cat"]).await;
    let mut socket = server.listen("bob").await;
    let (wrote, mut written) = tokio::sync::watch::channel(0);
    let mut writers = tokio::task::JoinSet::new();
    for user in ["bob", "bob", "cat"] {
        let (cx, room, wrote) = (instance(&server), room.clone(), wrote.clone());
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            // Cat is not banned, and writes on for a while.
            while user == "bob" || acknowledged.len() < 40 {
                match send(&cx, user, &room, None, "hello").await {
                    Ok(message) => acknowledged.push(message.place.seq),
                    Err(Error::Forbidden(_)) => break,
                    Err(error) => panic!("{error}"),
                }
                wrote.send_modify(|count| *count += 1);
                if let Some(pause) = pause {
                    store::retry::pause(pause).await;
                }
            }
            (user, acknowledged)
        });
    }
    // In the middle of it.
    written.wait_for(|count| *count > after).await.unwrap();
    let banning = instance(&server);
    let (id, bob) = (ConversationId::parse(&room).unwrap(), UserId::parse("bob").unwrap());
    let ann = caller("ann");
    let banned = membership::ban(&banning, &ann, Dialect::Channelize, &id, &bob, "spam", None);
    within("the ban", banned).await.unwrap();
    let ends = within("the writers", writers.join_all()).await;
    let number = server.number(&room).await;
    let log = log(&server, number).await;
    assert_gap_free(&log);
    let ban = log.iter().find(|entry| matches!(entry.event, Event::Banned { .. })).unwrap().seq();
    let by = |user: &str| -> BTreeSet<Seq> {
        let own = log.iter().filter(|entry| message(entry).is_some_and(|it| it.author.as_str() == user));
        own.map(Entry::seq).collect()
    };
    assert!(by("bob").last().is_none_or(|last| *last < ban), "{:?} and the ban at {ban}", by("bob"));
    let acknowledged: BTreeSet<Seq> =
        ends.iter().filter(|(user, _)| *user == "bob").flat_map(|(_, seqs)| seqs.clone()).collect();
    assert_eq!(acknowledged, by("bob"));
    assert_eq!(by("cat").len(), 40);
    // Bob hears everything up to the ban, and nothing after it.
    let heard = heard_messages(&server.heard(&mut socket).await);
    let due = log.iter().filter(|entry| message(entry).is_some() && entry.seq() < ban);
    let due: Vec<u64> = due.map(|entry| packed(number.0, entry.seq().0)).collect();
    assert_eq!(heard, due);
    server.end().await;
}
