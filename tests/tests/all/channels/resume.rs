//! Resume: all that was missed, in order, before what comes; or a word that it cannot be had.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ConversationId, Dialect, Timestamp, Topic, UserId, message::Content};
use handlers::{
    auth::Caller,
    operations::send::{self, Draft},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Realtime, bare, channel, say};
use crate::harness::{Server, http::Api, within};

/// Writes to the channel until told to stop; says how much it wrote.
fn writer(api: Api, channel: &str, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let (channel, stop) = (channel.to_owned(), Arc::clone(stop));
    tokio::spawn(async move {
        let mut written = 0;
        while !stop.load(Ordering::SeqCst) {
            written += 1;
            say(&api, &channel, &written.to_string()).await;
        }
        written
    })
}

fn seq(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap_or_else(|| panic!("{event} has no seq"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_lost_connections_lose_double_and_reorder_nothing() {
    const ROUNDS: usize = 250;
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let topic = format!("channel:{id}");
    let mut first = Realtime::open(&server, "bob").await;
    let (_, answer) = first.subscribe(&[&topic], json!(null)).await;
    drop(first);
    let position = &answer["data"]["positions"][&topic];
    let (epoch, start) = (position["epoch"].clone(), position["seq"].as_u64().unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let writing = writer(server.user("ann"), &id, &stop);
    let mut dice = fastrand::Rng::with_seed(7);
    let mut last = start;
    let mut replayed = 0;
    for round in 0..ROUNDS {
        let mut socket = Realtime::open(&server, "bob").await;
        let after = json!({&topic: {"epoch": epoch, "seq": last}});
        socket.say(json!({"action": "subscribe", "channels": [topic], "after": after})).await;
        // Some are lost before they are subscribed, some just then, some later.
        let mut left = dice.u64(..12);
        let mut subscribed = false;
        while left > 0 {
            let frame = socket.next().await;
            left -= 1;
            if frame["type"] == "subscribed" {
                let reached = &frame["data"]["positions"][&topic];
                assert_eq!(reached["recovered"], true, "round {round}");
                assert_eq!(reached["seq"], json!(last), "round {round}: what was missed comes first");
                subscribed = true;
                continue;
            }
            assert_eq!(frame["type"], "channel_message", "round {round}: {frame}");
            assert_eq!(seq(&frame), last + 1, "round {round}, subscribed: {subscribed}");
            assert_eq!(frame["epoch"], epoch);
            assert_eq!(frame["data"]["content"], json!((last + 1 - start).to_string()));
            last += 1;
            replayed += usize::from(!subscribed);
        }
    }
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    let mut socket = Realtime::open(&server, "bob").await;
    let after = json!({&topic: {"epoch": epoch, "seq": last}});
    let (missed, answer) = socket.subscribe(&[&topic], after).await;
    assert_eq!(answer["data"]["positions"][&topic]["seq"], json!(start + written));
    let rest: Vec<u64> = missed.iter().map(seq).collect();
    assert_eq!(rest, (last + 1..=start + written).collect::<Vec<_>>());
    assert!(replayed > ROUNDS / 4, "only {replayed} were sent again: the test tests little");
    assert_eq!(socket.heard(&server).await.len(), 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing_again_loses_nothing_that_is_under_way() {
    const MESSAGES: u64 = 100;
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let other = channel(&server, "private", "ann", &["bob"]).await;
    let (topic, second) = (format!("channel:{id}"), format!("channel:{other}"));
    let mut socket = Realtime::open(&server, "bob").await;
    let (_, answer) = socket.subscribe(&[&topic], json!(null)).await;
    let start = answer["data"]["positions"][&topic]["seq"].as_u64().unwrap();
    let ann = server.user("ann");
    let mut heard = Vec::new();
    for message in 0..MESSAGES {
        // It is acknowledged, and not yet told.
        say(&ann, &id, &message.to_string()).await;
        let both: &[&str] = if message % 2 == 0 { &[&topic] } else { &[&topic, &second] };
        let (before, answer) = socket.subscribe(both, json!(null)).await;
        heard.extend(before);
        let reached = &answer["data"]["positions"][&topic];
        assert_eq!(reached["seq"], json!(start), "where it began: no later than what is still to come");
    }
    // A position that is none takes nothing away either.
    for seq in [json!(start + 1_000_000), json!(0)] {
        say(&ann, &id, "more").await;
        let after = json!({&topic: {"epoch": answer["data"]["positions"][&topic]["epoch"], "seq": seq}});
        heard.extend(socket.subscribe(&[&topic], after).await.0);
    }
    heard.extend(socket.heard(&server).await);
    let mut seqs: Vec<u64> =
        heard.iter().filter(|one| one["data"]["channel_id"] == json!(id)).map(seq).collect();
    seqs.sort_unstable();
    seqs.dedup();
    seqs.retain(|seq| *seq > start);
    assert_eq!(seqs, (start + 1..=start + MESSAGES + 2).collect::<Vec<_>>());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_between_replay_and_live_lets_nothing_through() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob"]).await;
    let topic = format!("channel:{id}");
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let mut socket = Realtime::open(&server, "bob").await;
    let (_, answer) = socket.subscribe(&[&topic], json!(null)).await;
    let position = answer["data"]["positions"][&topic].clone();
    let (epoch, mut last) = (position["epoch"].clone(), position["seq"].as_u64().unwrap());
    drop(socket);
    let stop = Arc::new(AtomicBool::new(false));
    let writing = writer(server.user("ann"), &id, &stop);
    let (mut refused, mut told) = (0, 0);
    for round in 0..36 {
        let mut socket = Realtime::open(&server, "bob").await;
        let subscribe = json!({"action": "subscribe", "channels": [topic],
            "after": {&topic: {"epoch": epoch, "seq": last}}});
        let path = format!("/channels/{id}/kicks");
        let kick = async {
            for _ in 0..round % 12 {
                tokio::task::yield_now().await;
            }
            ann.post(&path, json!({"user_id": "bob"})).await.expect(201)
        };
        tokio::join!(socket.say(subscribe), kick);
        let heard = socket.heard(&server).await;
        let events: Vec<&Value> = heard.iter().filter(|one| one.get("seq").is_some()).collect();
        for pair in events.windows(2) {
            assert!(seq(pair[0]) < seq(pair[1]), "round {round}");
        }
        let kicked = events.iter().position(|one| one["type"] == "user_kicked");
        match kicked {
            Some(at) => {
                told += 1;
                assert_eq!(at + 1, events.len(), "round {round}: {:?}", bare(&heard));
            }
            None => {
                refused += 1;
                assert!(events.is_empty(), "round {round}: heard something, and not of the kick: {heard:?}");
                assert!(
                    heard.iter().any(|one| one["data"]["code"] == "forbidden"),
                    "round {round}: {heard:?}"
                );
            }
        }
        bob.post(&format!("/channels/{id}/members"), json!({})).await.expect(201);
        let tail = server.running.context.store.tail(server.number(&id).await).await.unwrap().unwrap();
        last = tail.place.seq.0;
    }
    stop.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    assert!(told > 0, "{told} told, {refused} refused: the test tests little");
    within("the end", server.end()).await;
}

#[tokio::test]
async fn what_cannot_be_recovered_is_said() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let topic = format!("channel:{id}");
    let mut socket = Realtime::open(&server, "bob").await;
    let (_, answer) = socket.subscribe(&[&topic], json!(null)).await;
    let position = answer["data"]["positions"][&topic].clone();
    assert_eq!(position["recovered"], false);
    let epoch = position["epoch"].clone();
    let at = position["seq"].as_u64().unwrap();
    say(&server.user("ann"), &id, "one").await;
    server.running.drained().await;
    for (after, recovered, events) in [
        (json!({"epoch": epoch, "seq": at}), true, 1),
        (json!({"epoch": epoch, "seq": at + 1}), true, 0),
        (json!({"epoch": epoch, "seq": at + 2}), false, 0),
        (json!({"epoch": "another", "seq": at}), false, 0),
        // Bob joined with the second entry; what was before is history, and his to see.
        (json!({"epoch": epoch, "seq": 0}), true, 2),
    ] {
        let mut socket = Realtime::open(&server, "bob").await;
        let (missed, answer) = socket.subscribe(&[&topic], json!({&topic: after})).await;
        let reached = &answer["data"]["positions"][&topic];
        assert_eq!((&reached["recovered"], missed.len()), (&json!(recovered), events), "{after}");
        assert_eq!(reached["seq"], json!(at + 1));
    }
    // More than a thousand entries are too many.
    let caller = Caller { user: Some(UserId::parse("ann").unwrap()), powerful: false, server: false };
    let channel = ConversationId::parse(id.as_str()).unwrap();
    let draft =
        Draft { content: Content { text: Some("x".into()), ..Content::default() }, ..Draft::default() };
    for _ in 0..20 {
        let drafts = vec![draft.clone(); 50];
        send::send(&server.running.context, &caller, Dialect::Channels, &channel, drafts).await.unwrap();
    }
    server.running.drained().await;
    for (seq, recovered) in [(at, false), (at + 1, true)] {
        let mut socket = Realtime::open(&server, "bob").await;
        let (missed, answer) =
            socket.subscribe(&[&topic], json!({&topic: {"epoch": epoch, "seq": seq}})).await;
        assert_eq!(answer["data"]["positions"][&topic]["recovered"], recovered);
        assert_eq!(missed.len(), if recovered { 1_000 } else { 0 });
    }
    server.end().await;
}

#[tokio::test]
async fn a_subscription_whose_holder_died_sends_its_client_back() {
    let server = Server::in_process().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let mut socket = Realtime::open(&server, "bob").await;
    let store = &server.running.context.store;
    let now = Timestamp::from_millis(server.clock.now());
    let connections = store.connections(&UserId::parse("bob").unwrap(), now).await.unwrap();
    let topic = Topic::Conversation(ConversationId::parse(id.as_str()).unwrap());
    let times = (now, now.plus_seconds(40));
    let life = server.number(&id).await;
    store.hold(&connections[0], &topic, None, life, times).await.unwrap().unwrap();
    // Left to the holder, as long as it may live.
    say(&server.user("ann"), &id, "one").await;
    assert_eq!(socket.heard(&server).await.len(), 0);
    server.clock.step(41_000);
    say(&server.user("ann"), &id, "two").await;
    socket.ended().await;
    server.forgotten("bob").await;
    server.end().await;
}

#[tokio::test]
async fn a_ping_finds_out_that_a_holder_died() {
    let server = Server::in_process().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let mut socket = Realtime::open(&server, "bob").await;
    let store = &server.running.context.store;
    let now = || Timestamp::from_millis(server.clock.now());
    let connection = store.connections(&UserId::parse("bob").unwrap(), now()).await.unwrap().remove(0);
    let topic = Topic::Conversation(ConversationId::parse(id.as_str()).unwrap());
    let life = server.number(&id).await;
    let hold = async |now: Timestamp| {
        store.take_over(&connection, &topic, None, life, (now, now.plus_seconds(40))).await.unwrap()
    };
    let owed = async || store.kept_connection(&connection.id, now()).await.unwrap().unwrap().owed;
    let held = hold(now()).await;
    say(&server.user("ann"), &id, "left to the holder").await;
    server.running.drained().await;
    assert_eq!(owed().await, Some(held.until));
    // As long as the holder may live, and when it has done what it was to do, a ping is a ping.
    assert_eq!(socket.heard(&server).await.len(), 0);
    let last = store.tail(life).await.unwrap().unwrap().place.seq;
    store.release(&topic, &connection.id, held, last).await.unwrap();
    server.clock.step(41_000);
    assert_eq!(socket.heard(&server).await.len(), 0);
    assert_eq!(owed().await, None);
    // The next one dies, and nothing more is written.
    hold(now()).await;
    say(&server.user("ann"), &id, "lost with the holder").await;
    server.running.drained().await;
    assert_eq!(socket.heard(&server).await.len(), 0);
    server.clock.step(41_000);
    socket.say(json!({"action": "ping"})).await;
    socket.ended().await;
    server.forgotten("bob").await;
    server.end().await;
}

#[tokio::test]
async fn a_subscription_that_its_connection_does_not_know_of_is_posted_to_once() {
    let server = Server::in_process().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let (topic, connection) = (format!("conversation:{id}"), "ended-while-it-subscribed");
    let key = store::keys::subscription(&topic, connection);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let items = &server.running.items;
    let keyed = [("pk", text(&key.pk)), ("sk", text(&key.sk))];
    let orphan = [("u", text("bob")), ("d", text("channels")), ("t", AttributeValue::N("0".to_owned()))];
    let mut put = items.put_item().table_name(&server.running.table);
    for (name, value) in keyed.clone().into_iter().chain(orphan) {
        put = put.item(name, value);
    }
    put.send().await.unwrap();
    say(&server.user("ann"), &id, "to nobody").await;
    server.running.drained().await;
    let mut get = items.get_item().table_name(&server.running.table).consistent_read(true);
    for (name, value) in keyed {
        get = get.key(name, value);
    }
    assert_eq!(get.send().await.unwrap().item, None);
    server.end().await;
}

#[tokio::test]
async fn notices_of_a_user_and_of_everybody_are_resumed_too() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob"]).await;
    let mut socket = Realtime::open(&server, "bob").await;
    let topics = ["user:bob", "global"];
    let (_, answer) = socket.subscribe(&topics, json!(null)).await;
    drop(socket);
    let ann = server.user("ann");
    ann.post(&format!("/channels/{id}/bans"), json!({"user_id": "bob", "motive": "spam"})).await.expect(201);
    ann.post("/channels", json!({"channel_name": "New"})).await.expect(201);
    server.running.drained().await;
    let mut socket = Realtime::open(&server, "bob").await;
    let (missed, answer) = socket.subscribe(&topics, answer["data"]["positions"].clone()).await;
    let kinds: Vec<String> = bare(&missed).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["user_banned", "channel_created"]);
    assert_eq!(answer["data"]["positions"]["user:bob"]["recovered"], true);
    server.end().await;
}

#[tokio::test]
async fn an_entry_of_several_events_is_resumed_whole() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &[]).await;
    server.make_users(&["bob", "cat", "dan"]).await;
    let topic = format!("channel:{id}");
    let mut socket = Realtime::open(&server, "ann").await;
    socket.subscribe(&[&topic], json!(null)).await;
    let path = format!("/v2/conversations/{id}/add_members");
    let added = server.user("ann").post(&path, json!({"members": ["bob", "cat", "dan"]})).await;
    assert!(added.status < 300, "{added:?}");
    let heard = socket.heard(&server).await;
    assert_eq!(heard.len(), 3);
    let after = json!({&topic: {"epoch": heard[0]["epoch"], "seq": heard[0]["seq"]}});
    let mut again = Realtime::open(&server, "ann").await;
    assert_eq!(again.subscribe(&[&topic], after).await.0, heard);
    server.end().await;
}
