//! The road out: large audiences in chunks, few posts, and the owner's topic.
//!
//! The whole of the other tests can be run with every audience taken for a large one:
//! `SWITCHBOARD_TEST_LARGE_AUDIENCE=1 cargo test -p tests`.

mod chunks;
mod failures;
mod owner;
mod posts;

use serde_json::{Value, json};
use switchboard::TEMPLATE;

use crate::harness::Server;

/// A server to which an audience is large from so many members and subscriptions on.
async fn server(large_audience: usize) -> Server {
    Server::start_with(|options| options.road.large_audience = large_audience).await
}

/// Makes the conversation `room`.
async fn make_room(server: &Server, kind: &str, members: &[&str]) {
    server.make_users(members).await;
    let body = json!({"id": "room", "title": "Room", "type": kind, "isGroup": true, "members": members});
    server.user(members[0]).post("/v2/conversations", body).await.expect(201);
}

/// Does something to the members of `room`, as its owner.
async fn change_members(server: &Server, owner: &str, how: &str, members: &[&str]) {
    let path = format!("/v2/conversations/room/{how}");
    server.user(owner).post(&path, json!({"members": members})).await.expect(204);
}

/// The texts of messages that were told on the `events` socket.
fn texts(frames: &[Value]) -> Vec<String> {
    let created = frames.iter().filter(|frame| frame["type"] == "TextMessagesCreated");
    let messages = created.flat_map(|frame| frame["data"]["messages"].as_array().unwrap());
    messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

/// How many posts a function made since a mark.
fn posts(server: &Server, mark: usize, endpoint: &str) -> usize {
    let operations = server.recorder.since(mark, endpoint);
    operations.iter().filter(|one| one.name == "PostToConnection").count()
}

/// A server whose large audiences, of five and more, are told by chunks that nobody takes: the topic has no subscription.
pub(crate) async fn server_that_takes_no_chunks() -> Server {
    let template = template_without("  ChunkSubscription:\n");
    Server::start_with(|options| {
        options.road.large_audience = 4;
        options.template = Some(template);
    })
    .await
}

/// The template without a resource or an event: what stands from this line to the next one that is as deep.
pub(crate) fn template_without(line: &str) -> String {
    let at = TEMPLATE.find(line).unwrap_or_else(|| panic!("the template has no {line:?}"));
    let depth = line.len() - line.trim_start().len();
    let rest: usize = TEMPLATE[at..]
        .lines()
        .skip(1)
        .take_while(|next| next.trim().is_empty() || next.len() - next.trim_start().len() > depth)
        .map(|next| next.len() + 1)
        .sum();
    let first = TEMPLATE[at..].find('\n').unwrap() + 1;
    format!("{}{}", &TEMPLATE[..at], &TEMPLATE[at + first + rest..])
}
