//! Virola's Web API, as its official web client and other clients of it use it.

mod attachments;
mod browser;
mod bucket;
mod client_files;
mod logins;
mod recording;
mod rooms;
mod sessions;
mod writing;

use serde_json::{Value, json};

use self::browser::Browser;
use crate::harness::Server;

/// Makes users with the password `<id>'s password`, numbered from 1 on in a new table.
async fn sign_up(server: &Server, ids: &[&str]) {
    for id in ids {
        let user = json!({
            "id": id, "displayName": id, "email": format!("{id}@example.org"), "password": password(id),
        });
        server.server().post("/v2/users", user).await.expect(201);
    }
}

fn password(id: &str) -> String {
    format!("{id}'s password")
}

/// Signs up and in.
async fn signed_in(server: &Server, id: &str) -> Browser {
    sign_up(server, &[id]).await;
    let mut browser = Browser::new(server, id);
    browser.log_in().await;
    browser
}

/// Makes a room of the first of them, with the others as members; says its number.
async fn make_room(server: &Server, kind: &str, members: &[&str]) -> u64 {
    let id = server.make_conversation(kind, members).await;
    server.number(&id).await.0
}

/// The events of a type among the frames, by their data.
fn events<'a>(frames: &'a [Value], kind: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["type"] == kind).map(|frame| &frame["data"]).collect()
}

/// The types of the frames, in their order.
fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}
