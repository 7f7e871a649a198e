//! What a large audience hears is what a small one hears, in one order, whichever way it takes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ConversationId, Timestamp};
use handlers::delivery::division;
use serde_json::{Value, json};
use store::division::{Division, Served};

use super::{change_members, make_room, posts, server, server_that_takes_no_chunks, texts};
use crate::{
    channels::Realtime,
    channelstream::{self, Listener},
    harness::{Server, all_heard, socket::Socket},
    nkchat::Client,
};

pub(super) const MEMBERS: [&str; 9] = ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal", "ida"];

/// Listeners of all dialects, members and others.
struct Crowd {
    events: BTreeMap<&'static str, Socket>,
    channels: BTreeMap<&'static str, Realtime>,
    listener: Listener,
    sessions: BTreeMap<&'static str, Client>,
}

impl Crowd {
    async fn gather(server: &Server) -> Self {
        let mut crowd = Self {
            events: BTreeMap::new(),
            channels: BTreeMap::new(),
            listener: channelstream::listen(server, "fay", &["room"]).await,
            sessions: BTreeMap::new(),
        };
        for user in ["ann", "bob", "hal", "ida"] {
            crowd.events.insert(user, server.listen(user).await);
        }
        for user in ["ann", "cat", "gus", "ida", "zoe"] {
            let mut socket = Realtime::open(server, user).await;
            socket.say(json!({"action": "subscribe", "channels": ["channel:room"]})).await;
            // Or an error, where a stranger may not.
            socket.next().await;
            crowd.channels.insert(user, socket);
        }
        // A member, one who names the conversation besides, one who hears of every open one, an admin, a stranger.
        for (user, admin, selector) in [
            ("bob", false, json!({"class": "chat", "subclass": "user"})),
            ("dan", false, json!({"class": "chat", "subclass": "conversation", "obj_id": "room"})),
            ("eve", false, json!({"class": "chat"})),
            ("root", true, json!({"class": "chat"})),
            ("zed", false, json!({"class": "chat"})),
        ] {
            let mut client = Client::login(server, user, admin).await;
            client.subscribe(selector).await;
            crowd.sessions.insert(user, client);
        }
        server.settled().await;
        crowd
    }

    /// What everybody heard since they were last asked, by dialect and user.
    async fn heard(&mut self, server: &Server) -> BTreeMap<String, Vec<Value>> {
        let mut heard = BTreeMap::new();
        for (user, frames) in all_heard(server, &mut self.events).await {
            heard.insert(format!("events {user}"), frames);
        }
        for (user, socket) in &mut self.channels {
            let mut frames = socket.heard(server).await;
            frames.retain(|frame| frame.get("mark").is_none());
            for frame in &mut frames {
                frame.as_object_mut().unwrap().remove("epoch");
            }
            heard.insert(format!("channels {user}"), frames);
        }
        heard.insert("channelstream fay".into(), channelstream::heard(server, &mut self.listener).await);
        for (user, client) in &mut self.sessions {
            let mut events = client.events(server).await;
            events.retain(|event| !event.is_null());
            heard.insert(format!("nkchat {user}"), events);
        }
        heard
    }
}

/// A uuid, always the same one.
fn id(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// Everything that can happen in a conversation, and what everybody heard of it, step by step.
async fn happenings(server: &Server, kind: &str) -> Vec<BTreeMap<String, Vec<Value>>> {
    make_room(server, kind, &MEMBERS).await;
    server.make_users(&["kim", "lee"]).await;
    let mut crowd = Crowd::gather(server).await;
    let ann = server.user("ann");
    let message = |n: usize, body: &str, more: Value| {
        let mut message = json!({"id": id(n), "conversationId": "room", "body": body});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let steps: [(&str, &str, Value, u16); 13] = [
        ("POST", "/v2/messages/send", message(1, "hello", json!({})), 201),
        (
            "POST",
            "/v2/messages/send",
            message(2, "for bob and hal", json!({"recipients": ["bob", "hal"]})),
            201,
        ),
        ("POST", "/v2/messages/send", message(3, "a reply", json!({"parentId": id(1)})), 201),
        ("PATCH", &format!("/channels/room/messages/{}", id(1)), json!({"content": "hello again"}), 200),
        ("POST", "/v2/conversations/room/send_typing_status", json!({"isTyping": true}), 204),
        ("PUT", "/v2/conversations/room/update_title", json!({"title": "Hall"}), 200),
        ("POST", "/v2/conversations/room/add_members", json!({"members": ["kim", "lee"]}), 204),
        ("POST", "/v2/conversations/room/ban", json!({"userIds": ["ida"]}), 204),
        ("POST", "/v2/messages/send", message(4, "without ida", json!({})), 201),
        ("POST", "/v2/conversations/room/remove_members", json!({"members": ["hal", "cat"]}), 204),
        ("POST", "/v2/messages/send", message(5, "without hal", json!({})), 201),
        ("POST", "/v2/messages/delete_for_everyone", json!({"messageIds": [id(5)]}), 200),
        ("DELETE", "/channels/room", json!({}), 204),
    ];
    let mut heard = Vec::new();
    for (method, path, body, status) in steps {
        let answer = ann.ask(method, path, Some(body)).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        heard.push(crowd.heard(server).await);
    }
    heard
}

#[tokio::test]
async fn a_large_audience_hears_what_a_small_one_hears() {
    for kind in ["private", "open"] {
        let held = |large_audience| {
            Server::in_process_with(move |options| options.road.large_audience = large_audience)
        };
        let small = held(1_000).await;
        let expected = happenings(&small, kind).await;
        assert_eq!(posts(&small, 0, "deliver"), 0);
        small.end().await;
        let large = held(2).await;
        let heard = happenings(&large, kind).await;
        assert!(posts(&large, 0, "deliver") > 50, "{}", posts(&large, 0, "deliver"));
        for (step, (expected, heard)) in expected.iter().zip(&heard).enumerate() {
            for (who, expected) in expected {
                assert_eq!(&heard[who], expected, "{kind}, step {step}, {who}");
            }
        }
        // And it is not nothing that they heard.
        for who in ["events bob", "channels zoe", "channelstream fay", "nkchat eve", "nkchat root"] {
            let all: usize = expected.iter().map(|step| step[who].len()).sum();
            assert!(all > 0 || kind == "private" && who == "channels zoe", "{kind}: {who} heard nothing");
        }
        let (id, number) = (ConversationId::trusted("room"), domain::Number(1));
        let left = large.running.context.store.members(&id, number).await.unwrap();
        assert!(left.is_empty(), "the shards sweep what the conversation leaves");
        large.end().await;
    }
}

async fn division(server: &Server) -> Option<Division> {
    let (store, id) = (&server.running.context.store, ConversationId::trusted("room"));
    store.roster(&id, server.number("room").await, usize::MAX).await.unwrap().division
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_that_grows_and_shrinks_hears_one_order() {
    let server = server(8).await;
    make_room(&server, "open", &["ann", "bob"]).await;
    let mut bob = server.listen("bob").await;
    let mut cat = Realtime::open(&server, "cat").await;
    cat.subscribe(&["channel:room"], json!(null)).await;
    let mut others = Vec::new();
    for n in 0..12 {
        others.push(Realtime::open(&server, &format!("user-{n:02}")).await);
    }
    let writer = server.user("bob");
    let (enough, stop) = tokio::sync::watch::channel(false);
    let writing = tokio::spawn(async move {
        let mut written = 0;
        while !*stop.borrow() {
            writer.send("room", &written.to_string()).await;
            written += 1;
        }
        written
    });
    for action in ["subscribe", "unsubscribe"].into_iter().cycle().take(6) {
        let mark = server.recorder.mark();
        for other in &mut others {
            other.say(json!({"action": action, "channels": ["channel:room"]})).await;
            other.until(&format!("{action}d")).await;
        }
        // As long as it is large, it hears by the queue.
        while action == "subscribe" && posts(&server, mark, "deliver") == 0 {
            server.settled().await;
        }
    }
    enough.send_replace(true);
    let written = writing.await.unwrap();
    server.settled().await;
    // It is small by now, and at some review everything is delivered.
    let mark = server.recorder.mark();
    let mut all = written;
    while posts(&server, mark, "fan-out") == 0 {
        assert!(all < written + 50, "it is never served as a whole again");
        server.user("bob").send("room", &all.to_string()).await;
        server.settled().await;
        all += 1;
    }
    let expected: Vec<String> = (0..all).map(|n| n.to_string()).collect();
    assert_eq!(texts(&server.heard(&mut bob).await), expected, "in order, each once");
    let frames = cat.heard(&server).await;
    let heard: Vec<&str> = frames.iter().map(|frame| frame["data"]["content"].as_str().unwrap()).collect();
    assert_eq!(heard, expected);
    assert!(frames.is_sorted_by_key(|frame| frame["seq"].as_u64()));
    server.end().await;
}

#[tokio::test]
async fn an_audience_that_grows_is_cut_finer() {
    let server = server(4).await;
    make_room(&server, "private", &MEMBERS).await;
    let mut bob = server.listen("bob").await;
    let more: Vec<String> = (0..20).map(|n| format!("user-{n:02}")).collect();
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    server.make_users(&more).await;
    server.user("ann").send("room", "before").await;
    server.settled().await;
    let before = division(&server).await.unwrap();
    change_members(&server, "ann", "add_members", &more).await;
    for n in 0..12 {
        server.user("ann").send("room", &n.to_string()).await;
        server.settled().await;
    }
    let after = division(&server).await.unwrap();
    assert!(after.generation > before.generation && !after.cuts.united);
    assert!(after.cuts.members.len() > before.cuts.members.len(), "{before:?} {after:?}");
    assert_eq!(texts(&server.heard(&mut bob).await).len(), 13);
    server.end().await;
}

#[tokio::test]
async fn nothing_is_told_straight_while_a_chunk_is_under_way() {
    let server = server_that_takes_no_chunks().await;
    make_room(&server, "private", &MEMBERS).await;
    let mut bob = server.listen("bob").await;
    let ann = server.user("ann");
    ann.send("room", "under way").await;
    change_members(&server, "ann", "remove_members", &MEMBERS[2..]).await;
    // The audience is small, and more than one review has passed.
    for n in 0..20 {
        ann.send("room", &format!("later {n}")).await;
        server.settled().await;
    }
    assert_eq!(server.heard(&mut bob).await, Vec::<Value>::new(), "nothing overtakes what is under way");
    // Now all of it is delivered, as its shards say: what comes next but for a review is told straight.
    let store = &server.running.context.store;
    let now = Timestamp::from_millis(server.clock.now());
    for user in &MEMBERS[2..] {
        // Whoever has left is still known, and counted; as long ago as that nobody of this test was here.
        let key = store::keys::member(&ConversationId::trusted("room"), &domain::UserId::trusted(*user));
        let delete = server.running.items.delete_item().table_name(&server.running.table);
        let delete = delete.key("pk", AttributeValue::S(key.pk)).key("sk", AttributeValue::S(key.sk));
        delete.send().await.unwrap();
    }
    let mut straight = Vec::new();
    for n in 0..10 {
        let division = division(&server).await.unwrap();
        for shard in division::shards(&division) {
            let (life, round) = ((division.number, division.generation), division.rounds);
            store.note_served(life, &shard.name(), Served { round, size: 0 }, now).await.unwrap();
        }
        ann.send("room", &format!("at last {n}")).await;
        straight.extend(texts(&server.heard(&mut bob).await));
    }
    assert!(division(&server).await.unwrap().cuts.united);
    assert!(!straight.is_empty() && straight.iter().all(|text| text.starts_with("at last")), "{straight:?}");
    server.end().await;
}

#[tokio::test]
async fn a_batch_that_the_stream_brings_again_is_told_once() {
    let server = server(4).await;
    make_room(&server, "private", &MEMBERS).await;
    let mut bob = server.listen("bob").await;
    server.user("ann").send("room", "hello").await;
    assert_eq!(texts(&server.heard(&mut bob).await), ["hello"]);
    server.deliver_again("room").await;
    assert_eq!(
        texts(&server.heard(&mut bob).await),
        ["hello"],
        "another batch: the same again, with the same number"
    );
    server.deliver_again("room").await;
    assert_eq!(server.heard(&mut bob).await, Vec::<Value>::new(), "the same batch is known");
    server.end().await;
}

#[tokio::test]
async fn who_reads_is_told_so_alone_where_many_read() {
    let server = server(4).await;
    make_room(&server, "private", &MEMBERS).await;
    let mut sockets = BTreeMap::new();
    for user in ["ann", "bob", "hal"] {
        sockets.insert(user, server.listen(user).await);
    }
    server.user("ann").send("room", "hello").await;
    all_heard(&server, &mut sockets).await;
    let mark = server.recorder.mark();
    server.user("bob").ask("PUT", "/v2/conversations/room/mark_as_read", Some(json!({}))).await.expect(204);
    let heard = all_heard(&server, &mut sockets).await;
    assert_eq!((&heard["ann"], &heard["hal"]), (&vec![], &vec![]));
    assert_eq!(heard["bob"].len(), 1);
    assert_eq!(heard["bob"][0]["data"]["room"]["unreadMessageCount"], 0, "{:?}", heard["bob"]);
    let sent = server.recorder.since(mark, "fan-out");
    let sent = sent.iter().filter(|one| one.name == "PublishBatch").count();
    assert_eq!((sent, posts(&server, mark, "deliver")), (1, 1), "one chunk, one post");
    server.end().await;
}
