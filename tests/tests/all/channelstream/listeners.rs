//! Who may ask, what is heard, and what is caught up with.

use serde_json::{Value, json};

use super::{connect, heard, listen, open, send, signed};
use crate::harness::Server;

#[tokio::test]
async fn what_is_not_signed_is_refused_as_the_original_refuses() {
    let server = Server::start().await;
    let nobody = server.api(Vec::new());
    let denied = nobody.post("/connect", json!({})).await;
    assert_eq!(denied.status, 403);
    assert!(denied.body.as_str().unwrap().contains("Access was denied to this resource."));
    let forged =
        nobody.clone().with("x-channelstream-secret", "channelstream.ZVPxAA.UB9ITnnv9UITu0ka92WJCn1VFsQ");
    let refused = forged.post("/message", json!([])).await.expect(401);
    assert_eq!(refused, json!({"request": "Bad Signature"}));
    assert_eq!(nobody.post("/listen", json!({})).await.status, 404);
    assert_eq!(nobody.ask("OPTIONS", "/connect", None).await.status, 200);
    assert_eq!(nobody.get("/admin/admin.json").await.status, 302);
    let unknown = "255ac706-8f83-4a4d-a479-4474070579b4";
    assert_eq!(nobody.get(&format!("/listen?conn_id={unknown}")).await.status, 401);
    assert_eq!(nobody.get("/listen?conn_id=x").await.expect(422), json!(["Wrong UUID format"]));
    assert_eq!(nobody.get("/disconnect").await.expect(422), json!({"conn_id": ["Field may not be null."]}));
    let body = json!({"conn_id": unknown, "channels": ["a"]});
    assert_eq!(
        signed(&server).post("/subscribe", body).await.expect(422),
        json!({"conn_id": ["Unknown connection"]})
    );
    assert_eq!(signed(&server).ask("POST", "/connect", None).await.status, 400);
    server.end().await;
}

fn texts(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["message"]["text"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_was_missed_before_the_socket_opened_is_caught_up_with() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let message = |text: &str| json!({"channel": "room", "user": "ann", "message": {"text": text}});
    let first = send(&server, message("one")).await;
    let second = send(&server, message("two")).await;
    let mut hidden = message("not for bob");
    hidden["exclude_users"] = json!(["bob"]);
    send(&server, hidden).await;
    send(&server, json!({"user": "ann", "pm_users": ["bob", "nobody"], "message": {"text": "pm"}})).await;
    let edit = json!([{"channel": "room", "uuid": first["uuid"], "message": {"text": "1"}}]);
    signed(&server).ask("PATCH", "/message", Some(edit)).await.expect(200);
    let delete = json!([{"channel": "room", "uuid": second["uuid"]}]);
    signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
    server.running.drained().await;
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    let told = heard(&server, &mut bob).await;
    assert!(told.iter().all(|event| event["catchup"] == true), "{told:?}");
    let mut found = texts(&told);
    found.sort_unstable();
    assert_eq!(found, ["", "1", "1", "pm"]);
    send(&server, message("live")).await;
    let told = heard(&server, &mut bob).await;
    assert_eq!((texts(&told), &told[0]["catchup"]), (vec!["live"], &json!(false)));
    server.end().await;
}

#[tokio::test]
async fn a_poll_takes_what_waits_and_what_comes() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let path = format!("/listen?conn_id={}", connected["conn_id"].as_str().unwrap());
    let nobody = server.api(Vec::new());
    send(&server, json!({"channel": "room", "user": "ann", "message": {"text": "<one>"}})).await;
    server.running.drained().await;
    let told = nobody.get(&path).await.expect(200);
    assert_eq!((texts(told.as_array().unwrap()), &told[0]["catchup"]), (vec!["<one>"], &json!(true)));
    let (told, _) = tokio::join!(nobody.get(&path), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        server.clock.step(1);
        send(&server, json!({"channel": "room", "user": "ann", "message": {"text": "two"}})).await
    });
    let told = told.expect(200);
    assert_eq!((texts(told.as_array().unwrap()), &told[0]["catchup"]), (vec!["two"], &json!(false)));
    server.end().await;
}

#[tokio::test]
async fn an_edit_and_a_deletion_of_what_is_not_there_are_told_all_the_same() {
    let server = Server::start().await;
    let mut bob = listen(&server, "bob", &["room"]).await;
    let uuid = "12345678-1234-5678-1234-567812345678";
    let edit = json!([{"channel": "room", "uuid": uuid, "edited": "2010-01-01T01:02", "message": {"a": 1}}]);
    signed(&server).ask("PATCH", "/message", Some(edit)).await.expect(200);
    let delete =
        json!([{"channel": "room", "uuid": uuid, "pm_users": ["cat"]}, {"channel": "room", "uuid": uuid}]);
    signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
    let told = heard(&server, &mut bob).await;
    let edited = json!({
        "channel": "room", "uuid": uuid, "edited": "2010-01-01T01:02:00", "message": {"a": 1}, "type": "message:edit"
    });
    assert_eq!(told, [edited, json!({"channel": "room", "uuid": uuid, "type": "message:delete"})]);
    server.end().await;
}

#[tokio::test]
async fn a_uuid_sent_again_is_a_retry_or_names_the_newest() {
    let server = Server::start().await;
    let configs = json!({"channel_configs": {"room": {"store_history": true}}});
    let connected = connect(&server, "bob", &["room"], configs).await;
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    let uuid = "12345678-1234-5678-1234-567812345678";
    let message =
        |text: &str| json!({"channel": "room", "user": "ann", "uuid": uuid, "message": {"text": text}});
    send(&server, message("one")).await;
    send(&server, message("one")).await;
    send(&server, message("two")).await;
    assert_eq!(texts(&heard(&server, &mut bob).await), ["one", "two"]);
    let edit = json!([{"channel": "room", "uuid": uuid, "message": {"text": "three"}}]);
    signed(&server).ask("PATCH", "/message", Some(edit)).await.expect(200);
    let info = signed(&server).post("/info", json!({"info": {"channels": ["room"]}})).await.expect(200);
    assert_eq!(texts(info["channels"]["room"]["history"].as_array().unwrap()), ["one", "three"]);
    // What was sent is the same as before, whatever became of it: it does not come back.
    send(&server, message("two")).await;
    let delete = json!([{"channel": "room", "uuid": uuid}]);
    signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
    send(&server, message("two")).await;
    let told = heard(&server, &mut bob).await;
    let kinds: Vec<&Value> = told.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["message:edit", "message:delete"]);
    let info = signed(&server).post("/info", json!({"info": {"channels": ["room"]}})).await.expect(200);
    assert_eq!(texts(info["channels"]["room"]["history"].as_array().unwrap()), ["one"]);
    server.end().await;
}

#[tokio::test]
async fn a_message_to_users_is_told_once_however_often_it_is_sent() {
    let server = Server::in_process().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    let uuid = "12345678-1234-5678-1234-567812345679";
    let post = async |text: &str| {
        let message = json!([{"user": "ann", "pm_users": ["bob"], "uuid": uuid, "message": {"text": text}}]);
        signed(&server).post("/message", message).await.expect(200)
    };
    let first = post("one").await;
    assert_eq!(post("one").await, first, "also when it was");
    post("two").await;
    assert_eq!(texts(&heard(&server, &mut bob).await), ["one", "two"]);
    server.clock.step(86_401_000);
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    post("one").await;
    assert_eq!(texts(&heard(&server, &mut bob).await), ["one"], "a day later it is another");
    server.end().await;
}

#[tokio::test]
async fn presence_is_told_when_the_first_comes_and_the_last_goes() {
    let server = Server::in_process().await;
    let configs = json!({"channel_configs": {"room": {"notify_presence": true}}});
    let connected = connect(&server, "ann", &["room"], configs).await;
    let mut ann = open(&server, "ann", connected["conn_id"].as_str().unwrap()).await;
    let one = listen(&server, "bob", &["room"]).await;
    let two = listen(&server, "bob", &["room"]).await;
    let told = heard(&server, &mut ann).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["message"], json!({"action": "joined"}));
    // The server tells `$disconnect` after the goodbye. Two that go at the same moment may both find themselves
    // the last: the first goes by a call, which is answered when it is gone.
    signed(&server).post("/disconnect", json!({"conn_id": one.id})).await.expect(200);
    two.socket.close().await;
    let mut told = Vec::new();
    while told.is_empty() {
        told = heard(&server, &mut ann).await;
    }
    assert_eq!((&told[0]["message"], &told[0]["user"]), (&json!({"action": "parted"}), &json!("bob")));
    // One without a socket is let go when its time is over and somebody asks.
    connect(&server, "cat", &["room"], json!({})).await;
    server.clock.step(16_000);
    let info = signed(&server).post("/info", json!({"info": {"channels": ["room"]}})).await.expect(200);
    assert_eq!(info["channels"]["room"]["users"], json!(["ann"]));
    let told = heard(&server, &mut ann).await;
    let actions: Vec<_> = told.iter().map(|event| event["message"]["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["joined", "parted"]);
    server.end().await;
}
