//! However long a log is, what one call reads of it is bounded: what is deleted for oneself is not read again, and a
//! count, a filter and a large `skip` end somewhere.

use std::collections::BTreeSet;

use domain::{Place, ids::Nonce, message::Audience};
use handlers::operations::{
    access,
    history::{self, Filter, Slice},
    reach::Reach,
};
use serde_json::json;
use store::log::Appended;

use super::*;
use crate::harness::recorder::Cost;

/// Entries of one transaction.
const AT_ONCE: usize = 100;

/// Ann says "hello", and something of that size so often, straight into the log: `to` alone sees it, or everybody.
async fn say(server: &Server, room: &str, times: usize, to: Option<&str>, size: usize) {
    let store = &server.running.context.store;
    let number = server.number(room).await;
    let only: BTreeSet<UserId> = to.map(|user| UserId::parse(user).unwrap()).into_iter().collect();
    let first = send(&server.running.context, "ann", room, None, "hello").await.unwrap();
    let [first] = store.entries_at(&[first.place], true).await.unwrap().try_into().unwrap();
    let next = |n: usize| {
        let mut entry = first.clone();
        let place = Place { number, seq: Seq(first.seq().0 + n as u64) };
        let nonce = Nonce::new(n as u64);
        let Event::MessageCreated(message) = &mut entry.event else { panic!("no message") };
        (message.id, message.place) = (MessageId::mint(place, nonce), place);
        message.content.text = Some(if size == 5 { "hello".into() } else { "x".repeat(size) });
        message.audience = Audience { only: only.clone(), except: BTreeSet::new() };
        Entry { place, nonce, ..entry }
    };
    let entries: Vec<Entry> = (1..times).map(next).collect();
    for entries in entries.chunks(AT_ONCE.min(3_000_000 / size)) {
        assert!(matches!(store.append(entries, Vec::new()).await.unwrap(), Appended::Done));
    }
}

/// A private group of ann, bob and cat with this id.
async fn group(server: &Server, id: &str) {
    let body = json!({"id": id, "title": id, "type": "private", "isGroup": true, "members": ["bob", "cat"]});
    server.user("ann").post("/v2/conversations", body).await.expect(201);
}

/// What bob is told, and what it cost, when he looks at a conversation in every way.
async fn look(server: &Server, room: &str) -> Vec<(&'static str, Value, Cost)> {
    let mut told = Vec::new();
    for (endpoint, path) in [
        ("channelize-get-conversation", format!("/v2/conversations/{room}")),
        ("channelize-list-conversations", format!("/v2/conversations?ids={room}")),
        ("channelize-list-messages", format!("/v2/conversations/{room}/messages")),
        ("channelize-list-messages", format!("/v2/conversations/{room}/messages?sort=updatedAt%20ASC")),
        ("channelize-list-messages", format!("/v2/conversations/{room}/messages?ownerIds=ann&skip=10")),
        ("channelize-count-messages", format!("/v2/conversations/{room}/messages/count")),
        ("channelize-count-messages", format!("/v2/conversations/{room}/messages/count?pinned=true")),
    ] {
        let mark = server.recorder.mark();
        let answer = server.user("bob").get(&path).await.expect(200);
        told.push((endpoint, answer, server.recorder.cost(mark, endpoint)));
    }
    told
}

#[tokio::test]
async fn what_was_cleared_is_not_read_again() {
    let server = Server::in_process().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let mut looks = Vec::new();
    for room in ["short", "long"] {
        group(&server, room).await;
    }
    for (room, times) in [("short", 3), ("long", 2_500)] {
        say(&server, room, times, None, 5).await;
        server.user("bob").delete(&format!("/v2/conversations/{room}/clear")).await.expect(204);
        let cleared = look(&server, room).await;
        assert_eq!(cleared[0].1["lastMessage"], json!(null));
        assert_eq!(cleared[0].1["unreadMessageCount"], 0);
        assert_eq!(cleared[2].1, json!([]));
        assert_eq!(cleared[5].1, json!({"count": 0}));
        server.user("ann").send(room, "afterwards").await;
        let later = look(&server, room).await;
        assert_eq!(later[0].1["lastMessage"]["body"], "afterwards");
        assert_eq!(later[0].1["unreadMessageCount"], 1);
        assert_eq!(later[2].1[0]["body"], "afterwards");
        assert_eq!(later[3].1, later[2].1);
        assert_eq!(later[5].1, json!({"count": 1}));
        looks.push(cleared.into_iter().chain(later).map(|(endpoint, _, cost)| (endpoint, cost)).collect());
    }
    let [short, long]: [Vec<(&str, Cost)>; 2] = looks.try_into().unwrap();
    assert_eq!(long, short);
    // The others have their copies.
    let counted =
        server.user("cat").get("/v2/conversations/long/messages/count?types=normal").await.expect(200);
    assert_eq!(counted, json!({"count": 2_501}));
    server.end().await;
}

#[tokio::test]
async fn what_was_last_said_and_is_unread_is_looked_for_so_far_back() {
    let server = Server::in_process().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    group(&server, "room").await;
    say(&server, "room", 2, None, 5).await;
    let seen = server.user("bob").get("/v2/conversations/room").await.expect(200);
    assert_eq!((&seen["unreadMessageCount"], &seen["lastMessage"]["body"]), (&json!(2), &json!("hello")));
    let mut told = Vec::new();
    // Not for bob, and larger than what a glance may read.
    say(&server, "room", 60, Some("cat"), 300_000).await;
    for (endpoint, path) in [
        ("channelize-get-conversation", "/v2/conversations/room"),
        ("channelize-list-conversations", "/v2/conversations"),
        ("events-list-rooms", "/api/v1/rooms"),
    ] {
        let mark = server.recorder.mark();
        let seen = server.user("bob").get(path).await.expect(200);
        let seen = seen.get(0).or_else(|| seen["rooms"].get(0)).unwrap_or(&seen).clone();
        assert_eq!(seen["unreadMessageCount"], 0, "{path}: {seen}");
        assert!(seen["lastMessage"].is_null(), "{path}: {seen}");
        let cost = server.recorder.cost(mark, endpoint);
        told.push((endpoint, cost.queries));
    }
    // Of the log twelve to find what was last said and ten to count what is unread, which rooms do in eleven; and a few
    // for what else is shown.
    let expected = [
        ("channelize-get-conversation", 12 + 10 + 2),
        ("channelize-list-conversations", 12 + 10 + 4),
        ("events-list-rooms", 11 + 1),
    ];
    assert_eq!(told, expected);
    server.end().await;
}

#[tokio::test]
async fn what_one_call_finds_ends_where_it_may_look_no_further() {
    let server = Server::in_process().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    group(&server, "room").await;
    say(&server, "room", 60, None, 5).await;
    let total = log(&server, server.number("room").await).await.len();
    let (cx, bob) = (&server.running.context, caller("bob"));
    let id = ConversationId::parse("room").unwrap();
    let mut view = access::view_log(cx, &bob, &id).await.unwrap();
    let cats = Filter { authors: Some([UserId::parse("cat").unwrap()].into()), ..Filter::default() };
    for entries in [1, 20, total - 1, total, total + 1] {
        let within = entries.min(60);
        let reach = Reach::of(entries);
        let counted = history::count(cx, &mut view, &Filter::default(), reach).await.unwrap();
        assert_eq!(counted, within, "{reach:?}");
        assert_eq!(history::count(cx, &mut view, &cats, reach).await.unwrap(), 0);
        for ascending in [false, true] {
            let slice = |skip| Slice { ascending, skip, limit: 10, reach };
            // The oldest are no messages.
            let oldest = entries.min(total).saturating_sub(total - 60);
            let within = if ascending { oldest } else { within };
            let found =
                history::list(cx, &mut view, &Filter::default(), slice(within.saturating_sub(3))).await;
            assert_eq!(found.unwrap().len(), within.min(3), "{reach:?} {ascending}");
            assert_eq!(history::list(cx, &mut view, &cats, slice(0)).await.unwrap().len(), 0);
            let beyond = history::list(cx, &mut view, &Filter::default(), slice(within + 1)).await;
            // Where it just reaches the end an engine may know that there is nothing more, or not.
            match beyond {
                Ok(found) => assert!(found.is_empty() && entries >= total, "{reach:?} {ascending}"),
                Err(Error::Invalid { .. }) => assert!(entries <= total, "{reach:?} {ascending}"),
                Err(error) => panic!("{reach:?} {ascending}: {error}"),
            }
        }
    }
    server.end().await;
}
