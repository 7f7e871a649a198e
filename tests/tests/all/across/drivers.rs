//! How each dialect does what it can; and what it lacks, and why.
//!
//! Ann acts, who owns the conversation. Joining and leaving are Tom's own.

use domain::Dialect;
use serde_json::{Value, json};

use super::Scene;
use crate::{
    channelstream::signed,
    harness::{Server, http::Api},
};

/// Something that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Ann says this.
    Send(&'static str),
    /// Ann makes M say this.
    Edit(&'static str),
    /// Ann takes M back.
    Delete,
    /// Ann replies this to P.
    Reply(&'static str),
    /// Tom joins.
    Join,
    /// Ann adds Tom.
    Add,
    /// Tom leaves.
    Leave,
    /// Ann removes Tom.
    Remove,
    /// Ann kicks Tom.
    Kick,
    /// Ann bans Tom.
    Ban,
}

/// Why a dialect cannot do it; none if it can.
pub(super) const fn lack(by: Dialect, action: Action) -> Option<&'static str> {
    use Action::{Add, Ban, Delete, Edit, Join, Kick, Leave, Remove, Reply, Send};
    match (by, action) {
        (_, Send(_) | Delete) => None,
        (Dialect::Channelize, Edit(_)) => Some("its messages are recalled, never edited"),
        (_, Edit(_)) => None,
        (Dialect::Channelstream | Dialect::Nkchat, Reply(_)) => Some("it has no threads"),
        (_, Reply(_)) => None,
        (Dialect::Channelstream, Join | Add | Leave | Remove | Kick | Ban) => {
            Some("it subscribes connections, and has no members")
        }
        (Dialect::Events, Join | Add | Leave | Remove | Kick | Ban) => {
            Some("its original documents no call for it: the desktop client does it")
        }
        (Dialect::Channelize | Dialect::Channels | Dialect::Nkchat, Join | Add | Leave | Remove) => None,
        (Dialect::Channelize | Dialect::Nkchat, Kick) => Some("it removes"),
        (Dialect::Nkchat, Ban) => Some("it has no bans"),
        (Dialect::Channels, Kick | Ban) | (Dialect::Channelize, Ban) => None,
    }
}

/// Does it.
pub(super) async fn act(server: &Server, scene: &Scene, by: Dialect, action: Action) {
    let who = if matches!(action, Action::Join | Action::Leave) { "tom" } else { "ann" };
    let api = server.user(who);
    match by {
        Dialect::Channelize => channelize(&api, scene, action).await,
        Dialect::Channels => channels(&api, scene, action).await,
        Dialect::Channelstream => channelstream(server, scene, action).await,
        Dialect::Events => events(&api, scene, action).await,
        Dialect::Nkchat => nkchat(&api, scene, action).await,
    }
}

fn lacking(by: Dialect, action: Action) -> ! {
    panic!("{} has nothing for {action:?}", by.name())
}

async fn channelize(api: &Api, scene: &Scene, action: Action) {
    let at = |what: &str| format!("/v2/conversations/{}/{what}", scene.id);
    let say = |text: &str| json!({"conversationId": scene.id, "body": text});
    let tom = json!({"members": ["tom"]});
    let answer = match action {
        Action::Send(text) => api.post("/v2/messages/send", say(text)).await,
        Action::Reply(text) => {
            let mut reply = say(text);
            reply["parentId"] = scene.uuid("P").into();
            api.post("/v2/messages/send", reply).await
        }
        Action::Delete => {
            let gone = json!({"messageIds": [scene.uuid("M")]});
            api.post("/v2/messages/delete_for_everyone", gone).await
        }
        Action::Join => api.post(&at("join"), json!({})).await,
        Action::Add => api.post(&at("add_members"), tom).await,
        Action::Leave => api.post(&at("leave"), json!({})).await,
        Action::Remove => api.post(&at("remove_members"), tom).await,
        Action::Ban => api.post(&at("ban"), json!({"userIds": ["tom"], "reason": "spam"})).await,
        Action::Edit(_) | Action::Kick => lacking(Dialect::Channelize, action),
    };
    assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
}

async fn channels(api: &Api, scene: &Scene, action: Action) {
    let at = |what: &str| format!("/channels/{}/{what}", scene.id);
    let message = |name: &str| at(&format!("messages/{}", scene.uuid(name)));
    let answer = match action {
        Action::Send(text) => api.post(&at("messages"), json!({"content": text})).await,
        Action::Edit(text) => api.ask("PATCH", &message("M"), Some(json!({"content": text}))).await,
        Action::Delete => api.delete(&message("M")).await,
        Action::Reply(text) => api.post(&format!("{}/replies", message("P")), json!({"content": text})).await,
        Action::Join => api.post(&at("members"), json!({})).await,
        Action::Add => api.post(&at("members"), json!({"user_id": "tom"})).await,
        Action::Leave | Action::Remove => api.delete(&at("members/tom")).await,
        Action::Kick => api.post(&at("kicks"), json!({"user_id": "tom"})).await,
        Action::Ban => api.post(&at("bans"), json!({"user_id": "tom", "motive": "spam"})).await,
    };
    assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
}

async fn channelstream(server: &Server, scene: &Scene, action: Action) {
    let say = |text: &str| json!({"channel": scene.id, "user": "ann", "message": {"text": text}});
    let (method, body) = match action {
        Action::Send(text) => ("POST", say(text)),
        Action::Edit(text) => {
            let mut edit = say(text);
            edit["uuid"] = scene.uuid("M").into();
            ("PATCH", edit)
        }
        Action::Delete => ("DELETE", json!({"channel": scene.id, "uuid": scene.uuid("M")})),
        _ => lacking(Dialect::Channelstream, action),
    };
    signed(server).ask(method, "/message", Some(json!([body]))).await.expect(200);
}

async fn events(api: &Api, scene: &Scene, action: Action) {
    let message = |name: &str| format!("/api/v1/messages/{}", scene.number(name));
    let said = |text: &str| json!({"content": text});
    let answer = match action {
        Action::Send(text) => api.post(&format!("/api/v1/rooms/{}/messages", scene.room), said(text)).await,
        Action::Edit(text) => api.put(&message("M"), said(text)).await,
        Action::Delete => api.delete(&message("M")).await,
        Action::Reply(text) => api.post(&format!("{}/comments", message("P")), said(text)).await,
        _ => lacking(Dialect::Events, action),
    };
    answer.expect(200);
}

async fn nkchat(api: &Api, scene: &Scene, action: Action) {
    let about = |more: Value| {
        let mut data = json!({"conversation_id": scene.id});
        for (key, value) in more.as_object().unwrap() {
            data[key] = value.clone();
        }
        data
    };
    let (subclass, cmd, data) = match action {
        Action::Send(text) => ("message", "create", about(json!({"user_id": "ann", "message": text}))),
        Action::Edit(text) => {
            ("message", "update", about(json!({"message_id": scene.uuid("M"), "message": text})))
        }
        Action::Delete => ("message", "delete", about(json!({"message_id": scene.uuid("M")}))),
        Action::Join | Action::Add => ("conversation", "add_members", about(json!({"user_ids": ["tom"]}))),
        Action::Leave | Action::Remove => {
            ("conversation", "remove_members", about(json!({"user_ids": ["tom"]})))
        }
        Action::Reply(_) | Action::Kick | Action::Ban => lacking(Dialect::Nkchat, action),
    };
    let body = json!({"class": "chat", "subclass": subclass, "cmd": cmd, "data": data});
    let answer = api.post("/nkchat/rpc", body).await.expect(200);
    assert_eq!(answer["result"], "ok", "{subclass}/{cmd}: {answer}");
}
