//! Pages of whatever size, put together, are the list: every message that one may see, in order, none twice, in each
//! dialect that has pages.

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::{Server, http::Api};

/// A message, and what becomes of it.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// By bob, who reads; or by ann.
    own: bool,
    /// Bob is among its recipients.
    for_bob: bool,
    /// It was recalled from everybody.
    recalled: bool,
    /// Bob deleted the own copy.
    hidden: bool,
}

fn written() -> impl Strategy<Value = Written> {
    (any::<bool>(), 0..4_u8, 0..5_u8, 0..5_u8).prop_map(|(own, audience, recalled, hidden)| Written {
        own,
        for_bob: audience > 0,
        recalled: recalled == 0,
        hidden: hidden == 0,
    })
}

impl Written {
    fn is_shown(self) -> bool {
        (self.own || self.for_bob) && !self.hidden
    }
}

/// A conversation with these messages; its id, and their texts as bob is to see them, with those recalled or not.
async fn conversation(server: &Server, log: &[Written]) -> String {
    let room = server.make_conversation("private", &["ann", "bob", "cat"]).await;
    for (n, one) in log.iter().enumerate() {
        let (author, other) = if one.own { ("bob", "ann") } else { ("ann", "cat") };
        let more = if one.for_bob { json!({}) } else { json!({"recipients": [other]}) };
        let id = server.user(author).send_with(&room, &format!("{n}"), more).await;
        let ids = json!({"messageIds": [id]});
        if one.recalled {
            server.user(author).post("/v2/messages/delete_for_everyone", ids.clone()).await.expect(200);
        }
        // Bob cannot delete a copy of what he never got.
        if one.hidden && (one.own || one.for_bob) {
            server.user("bob").post("/v2/messages/delete", ids).await.expect(204);
        }
    }
    room
}

fn texts<'a>(page: impl IntoIterator<Item = &'a Value>, key: &str) -> Vec<String> {
    page.into_iter().map(|one| one[key].as_str().unwrap_or("recalled").to_owned()).collect()
}

async fn by_channels(api: &Api, room: &str, size: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/channels/{room}/messages?limit={size}{cursor}")).await.expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= size);
        all.extend(texts(data, "content"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn by_channelize(api: &Api, room: &str, size: usize) -> Vec<String> {
    let mut all = Vec::new();
    for skip in (0..).step_by(size) {
        let path = format!("/v2/conversations/{room}/messages?types=normal&limit={size}&skip={skip}");
        let page = api.get(&path).await.expect(200);
        let page = page.as_array().unwrap();
        all.extend(texts(page, "body"));
        if page.len() < size {
            break;
        }
    }
    all
}

/// The cursor is inclusive: each page begins, or ends, with the last of the page before.
async fn by_events(api: &Api, room: u64, size: usize, direction: &str) -> Vec<String> {
    let (mut all, mut cursor): (Vec<String>, String) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/rooms/{room}/messages?limit={size}&direction={direction}{cursor}");
        let page = api.get(&path).await.expect(200);
        let page = page["messages"].as_array().unwrap();
        let ids: Vec<u64> = page.iter().map(|one| one["messageId"].as_u64().unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "ascending: {ids:?}");
        let mut texts = texts(page, "text");
        let next = if direction == "forward" {
            ids.last()
        } else {
            texts.reverse();
            ids.first()
        };
        let is_first = cursor.is_empty();
        let met = usize::from(!is_first);
        if !is_first && !texts.is_empty() {
            assert_eq!(texts.first(), all.last(), "the cursor's own message");
        }
        let more = texts.len() == size;
        all.extend(texts.into_iter().skip(met));
        match next {
            Some(next) if more => cursor = format!("&cursor={next}"),
            _ => return all,
        }
    }
}

async fn by_nkchat(api: &Api, room: &str, size: usize) -> Vec<String> {
    let mut all = Vec::new();
    for from in (0..).step_by(size) {
        let data = json!({
            "fields": ["_all"], "filter": {"conversation_id": room}, "size": size, "from": from,
            "sort_by": ["created_time"],
        });
        let body = json!({"class": "chat", "subclass": "message", "cmd": "search", "data": data});
        let found = api.post("/nkchat/rpc", body).await.expect(200);
        let page = found["data"]["data"].as_array().unwrap();
        all.extend(texts(page, "message"));
        if page.len() < size {
            assert_eq!(found["data"]["total"], all.len());
            break;
        }
    }
    all
}

async fn hold(server: &Server, log: &[Written], size: usize) {
    let room = conversation(server, log).await;
    let bob = server.user("bob");
    let shown: Vec<(usize, Written)> =
        log.iter().copied().enumerate().filter(|(_, one)| one.is_shown()).collect();
    let said: Vec<String> =
        shown.iter().filter(|(_, one)| !one.recalled).map(|(n, _)| n.to_string()).collect();
    let newest_first: Vec<String> = said.iter().rev().cloned().collect();
    assert_eq!(by_channels(&bob, &room, size).await, newest_first, "channels");
    let all =
        shown.iter().rev().map(|(n, one)| if one.recalled { "recalled".to_owned() } else { n.to_string() });
    assert_eq!(by_channelize(&bob, &room, size).await, all.collect::<Vec<_>>(), "channelize");
    let number = server.number(&room).await.0;
    // A page of one, with an inclusive cursor, never gets on.
    let wider = size.max(2);
    assert_eq!(by_events(&bob, number, wider, "forward").await, said, "events, forward");
    assert_eq!(by_events(&bob, number, wider, "backward").await, newest_first, "events, backward");
    let mut found = by_nkchat(&bob, &room, size).await;
    // Of one millisecond, any order is right; none is there twice.
    found.sort_by_key(|text| text.parse::<usize>().unwrap());
    assert_eq!(found, said, "nkchat");
}

#[test]
fn pages_put_together_are_what_one_may_see() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    runtime.block_on(server.make_users(&["ann", "bob", "cat"]));
    let config = Config { cases: 10, max_shrink_iters: 40, ..Config::with_source_file(file!()) };
    TestRunner::new(config)
        .run(&(vec(written(), 0..24), 1_usize..8), |(log, size)| {
            runtime.block_on(hold(&server, &log, size));
            Ok(())
        })
        .unwrap();
    runtime.block_on(server.end());
}
