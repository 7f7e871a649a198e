//! Who was sent away, in whichever dialect, is told so once and then hears and reads nothing more in any.

use domain::Dialect;
use serde_json::{Value, json};

use super::{
    World, after,
    drivers::{self, Action},
    members,
    watchers::Watchers,
};
use crate::{
    channelstream,
    harness::{Server, http::Api},
};

/// What Tom hears of it, in the order of [`Dialect::ALL`].
fn farewell(action: Action) -> [&'static str; 5] {
    let channels = match action {
        Action::Kick => "user_kicked tom",
        Action::Ban => "user_banned tom \"spam\"",
        _ => "member_left tom",
    };
    ["", channels, "", "RoomDeleted", "removed_memebers tom"]
}

#[tokio::test]
async fn who_is_gone_in_one_dialect_hears_and_reads_nothing_in_any() {
    let mut world = World::new().await;
    let mut toms = Watchers::open_as(&world.server, |_| "tom").await;
    for action in [Action::Leave, Action::Remove, Action::Kick, Action::Ban] {
        for by in Dialect::ALL {
            if drivers::lack(by, action).is_some() {
                continue;
            }
            let case = format!("{action:?} by {}", by.name());
            world.gather(&members(&["tom"])).await;
            toms.follow(&world.server, &world.scene.id).await;
            world.said(by, "M").await;
            let position = position(&world.server, &world.scene.id).await;
            toms.heard(&world.server, &world.scene).await;
            world.act(by, action).await;
            let heard = toms.heard(&world.server, &world.scene).await;
            for (dialect, due) in Dialect::ALL.into_iter().zip(farewell(action)) {
                assert_eq!(heard[&dialect], due, "{case}: told by {}", dialect.name());
            }
            without_tom(&mut world, by).await;
            for (dialect, frames) in toms.frames(&world.server).await {
                assert!(frames.is_empty(), "{case}: heard by {}: {frames:?}", dialect.name());
            }
            assert_shut(&world, &mut toms, &case, position).await;
        }
    }
    drop(toms);
    drop(world.watchers);
    world.server.end().await;
}

/// Where the log of a conversation stands.
async fn position(server: &Server, id: &str) -> Value {
    let topic = format!("channel:{id}");
    let mut ann = crate::channels::Realtime::open(server, "ann").await;
    let (_, answer) = ann.subscribe(&[&topic], json!(null)).await;
    let stands = answer["data"]["positions"][&topic].clone();
    json!({ topic: {"epoch": stands["epoch"], "seq": stands["seq"]} })
}

/// Everything goes on, in every dialect, and without Tom.
async fn without_tom(world: &mut World, by: Dialect) {
    for dialect in Dialect::ALL {
        world.act(dialect, Action::Send("without tom")).await;
    }
    world.act(Dialect::Channels, Action::Edit("edited without tom")).await;
    world.scene.names.insert("P".to_owned(), "P");
    let said = world.scene.messages["M"].clone();
    world.scene.messages.insert("P", said);
    world.act(Dialect::Events, Action::Reply("a reply without tom")).await;
    world.act(after(by), Action::Delete).await;
    let (ann, id) = (world.server.user("ann"), &world.scene.id);
    let title = json!({"channel_name": "Without Tom"});
    ann.ask("PATCH", &format!("/channels/{id}"), Some(title)).await.expect(200);
    ann.post(&format!("/channels/{id}/typing"), json!({"is_typing": true})).await;
    let read = json!({});
    ann.put(&format!("/v2/conversations/{id}/mark_as_read"), read).await.expect(204);
    // The others do hear it.
    let heard = world.watchers.heard(&world.server, &world.scene).await;
    assert!(heard[&Dialect::Nkchat].contains("deleted_message M"), "{heard:?}");
}

/// No call of any dialect shows Tom anything of it.
async fn assert_shut(world: &World, toms: &mut Watchers, case: &str, position: Value) {
    let (server, scene) = (&world.server, &world.scene);
    let tom = server.user("tom");
    let (id, room, number) = (&scene.id, scene.room, scene.number("M"));
    for path in [
        format!("/v2/conversations/{id}/messages"),
        format!("/v2/conversations/{id}/members"),
        format!("/channels/{id}/messages"),
        format!("/channels/{id}/members"),
        format!("/api/v1/rooms/{room}/messages"),
        format!("/api/v1/messages/{number}/comments"),
        format!("/api/v1/room-permissions/{room}"),
    ] {
        let answer = tom.get(&path).await;
        assert!(matches!(answer.status, 403 | 404), "{case}: {answer:?}");
    }
    assert_unlisted(&tom, id, room, case).await;
    for (subclass, data) in [
        ("conversation", json!({"conversation_id": id})),
        ("message", json!({"message_id": scene.uuid("M")})),
    ] {
        assert_eq!(toms.nkchat.refused(subclass, "get", data).await, "obj_not_found", "{case}");
    }
    let here = json!({"filter": {"conversation_id": id}, "size": 0});
    for subclass in ["conversation", "message"] {
        let found = toms.nkchat.chat(subclass, "search", here.clone()).await;
        assert_eq!(found["total"], 0, "{case}: {subclass}");
    }
    let connected = channelstream::connect(server, "tom", &[id], json!({})).await;
    assert_eq!(connected["channels"], json!([]), "{case}");
    // Nor does resuming.
    let topic = format!("channel:{id}");
    toms.channels.say(json!({"action": "subscribe", "channels": [topic], "after": position})).await;
    let (mut before, refused) = toms.channels.until("error").await;
    before.retain(|frame| frame.get("mark").is_none());
    assert_eq!((before.len(), &refused["data"]["code"]), (0, &json!("forbidden")), "{case}: {before:?}");
}

/// Tom's lists do not have it.
async fn assert_unlisted(tom: &Api, id: &str, room: u64, case: &str) {
    for (path, key, list) in [("/v2/conversations", "id", ""), ("/api/v1/rooms", "roomId", "rooms")] {
        let body = tom.get(path).await.expect(200);
        let all = if list.is_empty() { &body } else { &body[list] };
        let listed = |one: &Value| one[key] == *id || one[key] == room;
        assert!(!all.as_array().unwrap().iter().any(listed), "{case}: {body}");
    }
}
