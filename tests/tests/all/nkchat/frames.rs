//! Frames that are none, and what becomes of a socket.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{Client, rpc, token};
use crate::harness::{Server, http::basic, within};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::test]
async fn bad_framing_closes_the_socket_and_a_bad_command_does_not() {
    let server = Server::start().await;
    for bad in [
        "",
        "5",
        "\"x\"",
        "null",
        r#"{"class":"chat"}"#,
        r#"{"class":"chat","cmd":"get","tid":[1]}"#,
        "{\"ack\":{}}",
    ] {
        let mut client = Client::login(&server, "ann", false).await;
        if bad.is_empty() {
            client.send(&"[".repeat(20_000)).await;
        } else {
            client.send(bad).await;
        }
        client.closed().await;
        assert!(client.heard.borrow().frames.is_empty(), "{bad}");
    }
    let mut client = Client::login(&server, "ann", false).await;
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let frame =
        format!(r#"{{"class":"chat","subclass":"user","cmd":"search","data":{{"filter":{deep}}},"tid":7}}"#);
    client.send(&frame).await;
    let answer = client.take(|frame| frame["tid"] == 7).await;
    assert_eq!(answer["data"]["code"], "syntax_error");
    for (data, error) in [
        (json!([1]), "Syntax error: 'data'"),
        (json!({"size": 101}), "Syntax error: 'size'"),
        (json!({"fields": [{}]}), "Syntax error: 'fields'"),
        (json!({"filter": {"name": ["x"]}}), "Syntax error: 'filter'"),
    ] {
        let answer = client.ask("chat", "user", "search", data).await;
        assert_eq!(answer["data"], json!({"code": "syntax_error", "error": error}));
    }
    let answer = client.ask("chat", "us\u{0}er", "get", json!({})).await;
    assert_eq!(answer["data"]["code"], "not_implemented");
    let long = "x".repeat(300);
    assert_eq!(client.refused("user", "get", json!({"user_id": long})).await, "obj_not_found");
    assert_eq!(client.refused("message", "get", json!({"message_id": ""})).await, "obj_not_found");
    client
        .send(&format!(r#"{{"class":"chat","cmd":"x","tid":1,"data":{{"a":"{}"}}}}"#, "x".repeat(200_000)))
        .await;
    client.closed().await;
    server.end().await;
}

#[tokio::test]
async fn nothing_is_done_for_who_has_not_logged_in() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    for (class, subclass, cmd) in [
        ("chat", "user", "search"),
        ("core", "user", "list"),
        ("core", "event", "subscribe"),
        ("x", "y", "z"),
    ] {
        let answer = client.ask(class, subclass, cmd, json!({"class": "chat"})).await;
        assert_eq!(answer["data"]["code"], "not_authenticated", "{class}/{subclass}/{cmd}");
    }
    for (user, password) in
        [("ann", "wrong".to_owned()), ("ann", token(&server, "bob", true)), ("nobody", String::new())]
    {
        let answer = client.ask("core", "user", "login", json!({"user": user, "password": password})).await;
        assert_eq!(answer["data"]["code"], "unauthorized", "{user}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_password_logs_in_by_login_or_id_and_is_never_shown() {
    let server = Server::start().await;
    let new = json!({"login": "ann@domain.com", "name": "Ann", "surname": "Lee", "password": "1234"});
    let made = rpc(&server, "user", "create", new.clone()).await;
    let id = made["user_id"].as_str().unwrap();
    for (user, password) in [("ann@domain.com", "1234"), ("ANN@domain.com", "1234"), (id, "1234")] {
        let mut client = Client::open(&server).await;
        let done = client.ask("core", "user", "login", json!({"user": user, "password": password})).await;
        assert_eq!(done["data"]["session_id"].as_str().unwrap().len(), 27);
        let shown = client.chat("user", "get", json!({"user_id": id})).await;
        assert!(!shown.to_string().contains("1234"));
        assert_eq!((&shown["name"], &shown["surname"]), (&json!("Ann"), &json!("Lee")));
    }
    let shown = server.server().get(&format!("/v2/users/{id}")).await.expect(200);
    assert_eq!(shown["displayName"], "Ann Lee");
    let again = json!({"class": "chat", "subclass": "user", "cmd": "create", "data": new});
    let answer = server.server().post("/nkchat/rpc", again).await.expect(200);
    assert_eq!(answer["data"]["code"], "obj_already_exists");
    server.end().await;
}

#[tokio::test]
async fn a_ping_that_is_not_answered_ends_the_session_and_an_answered_one_comes_again() {
    let server = Server::in_process().await;
    let mut client = Client::login(&server, "ann", false).await;
    client.events(&server).await;
    server.clock.step(61_000);
    client.chat("user", "search", json!({"size": 0})).await;
    let ping = client.take(|frame| frame["cmd"] == "ping").await;
    assert_eq!(ping, json!({"class": "core", "cmd": "ping", "data": {"time": 60}, "tid": 2}));
    server.clock.step(9_000);
    client.chat("user", "search", json!({"size": 0})).await;
    server.clock.step(2_000);
    client.send(&json!({"class": "chat", "subclass": "user", "cmd": "search", "tid": 1}).to_string()).await;
    client.closed().await;
    assert!(client.heard.borrow().frames.is_empty());
    server.end().await;
}

#[tokio::test]
async fn a_command_goes_to_another_session_and_its_answer_comes_back() {
    let server = Server::start().await;
    let mut admin = Client::login(&server, "root", true).await;
    let mut bob = Client::login(&server, "bob", false).await;
    let list = admin.ask("core", "user", "list", json!({})).await;
    let session = list["data"]["bob"][0].clone();
    let data = json!({"session_id": session, "class": "app", "cmd": "do", "data": {"x": 1}});
    let command = json!({"class": "core", "subclass": "session", "cmd": "cmd", "data": data, "tid": "t"});
    admin.send(&command.to_string()).await;
    admin.take(|frame| frame["ack"] == "t").await;
    let got = bob.take(|frame| frame["cmd"] == "do").await;
    assert_eq!((&got["class"], &got["data"]), (&json!("app"), &json!({"x": 1})));
    bob.send(&json!({"result": "ok", "tid": got["tid"], "data": {"done": true}}).to_string()).await;
    let answer = admin.take(|frame| frame["tid"] == "t").await;
    assert_eq!(answer, json!({"tid": "t", "result": "ok", "data": {"done": true}}));
    let refused = bob.ask("core", "session", "stop", json!({"session_id": "nobody"})).await;
    assert_eq!(refused["data"]["code"], "session_not_found");
    let stopped = admin.ask("core", "session", "stop", json!({"session_id": session})).await;
    assert_eq!(stopped, json!({"result": "ok"}));
    bob.closed().await;
    server.end().await;
}

/// Sends a frame, and gives the first one with this in it, as it came.
async fn exchange(socket: &mut Socket, frame: &str, with: &str) -> String {
    socket.send(Message::text(frame)).await.unwrap();
    next_with(socket, with).await
}

async fn next_with(socket: &mut Socket, with: &str) -> String {
    loop {
        let text = within("a frame", socket.next()).await.unwrap().unwrap().into_text().unwrap();
        if text.contains(with) {
            return text.as_str().to_owned();
        }
    }
}

#[tokio::test]
async fn a_tid_comes_back_byte_for_byte() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for (user, admin) in [("root", true), ("bob", false)] {
        let url = format!("ws://{}/nkchat?token={}", server.running.address, token(&server, user, admin));
        sockets.push(within("a handshake", connect_async(url)).await.unwrap().0);
    }
    let [root, bob] = sockets.get_disjoint_mut([0, 1]).unwrap();
    let list = json!({"class": "core", "subclass": "user", "cmd": "list", "tid": 1}).to_string();
    let list: Value = serde_json::from_str(&exchange(root, &list, "\"tid\":1").await).unwrap();
    let session = list["data"]["bob"][0].as_str().unwrap();
    for (n, tid) in ["123456789012345678901234567890", "1e30", "1.50", "-0", "\"\\u00e9\"", "false", "null"]
        .into_iter()
        .enumerate()
    {
        let said = format!("\"tid\":{tid}}}");
        let search = r#""class":"chat","subclass":"user","cmd":"search","data":{"size":0}"#;
        exchange(root, &format!(r#"{{"tid":{tid},{search}}}"#), &said).await;
        exchange(root, &format!(r#"{{"tid": {tid} ,"class":"chat","cmd":"x"}}"#), &said).await;
        let subscriptions = r#""class":"core","subclass":"event","cmd":"get_subscriptions""#;
        exchange(root, &format!(r#"{{{subscriptions},"tid":{tid}}}"#), &format!(r#"{{"ack":{tid}}}"#)).await;
        next_with(root, &said).await;
        // It is kept with the other session, too, until that answers.
        let data = format!(r#"{{"session_id":"{session}","class":"app","cmd":"do"}}"#);
        let relay =
            format!(r#"{{"class":"core","subclass":"session","cmd":"cmd","data":{data},"tid":{tid}}}"#);
        exchange(root, &relay, &format!(r#"{{"ack":{tid}}}"#)).await;
        next_with(bob, "\"do\"").await;
        let answer = format!(r#"{{"result":"ok","data":{{"n":{n}}},"tid":{}}}"#, n + 1);
        bob.send(Message::text(answer)).await.unwrap();
        let answer = next_with(root, &said).await;
        assert_eq!(answer, format!(r#"{{"data":{{"n":{n}}},"result":"ok",{said}"#));
    }
    drop(sockets);
    server.end().await;
}

#[tokio::test]
async fn over_http_a_command_needs_the_secret_or_a_token() {
    let server = Server::start().await;
    let search = json!({"class": "chat", "subclass": "user", "cmd": "search", "data": {"size": 0}});
    let nobody = server.api(Vec::new());
    let answer = nobody.post("/nkchat/rpc", search.clone()).await.expect(200);
    assert_eq!(answer["data"]["code"], "not_authenticated");
    let wrong = server.api(vec![("authorization".to_owned(), basic("wrong"))]);
    assert_eq!(wrong.post("/nkchat/rpc", search.clone()).await.expect(403), json!("Forbidden"));
    server.user("ann").post("/nkchat/rpc", search).await.expect(200);
    for bad in [json!([]), json!({"class": "chat"}), Value::Null] {
        server.server().post("/nkchat/rpc", bad).await.expect(400);
    }
    let large = json!({"class": "chat", "cmd": "x", "data": {"x": "x".repeat(100_000)}});
    server.server().post("/nkchat/rpc", large).await.expect(413);
    let none = server.server().post("/nkchat/rpc", json!({"class": "x", "cmd": "y"})).await.expect(200);
    assert_eq!(none["data"]["code"], "not_implemented");
    server.end().await;
}

#[tokio::test]
async fn over_http_a_user_asks_by_name_and_password_as_in_a_login() {
    let server = Server::start().await;
    let new = json!({"login": "ann@domain.com", "name": "Ann", "password": "12:34"});
    let made = rpc(&server, "user", "create", new).await;
    let id = made["user_id"].as_str().unwrap();
    let (bob, root) = (token(&server, "bob", false), token(&server, "root", true));
    let command = |cmd: &str, data: Value| json!({"class": "chat", "subclass": "conversation", "cmd": cmd, "data": data});
    let mine = command("create", json!({"name": "Mine"}));
    for (user, name, password) in
        [(id, "ann@domain.com", "12:34"), (id, id, "12:34"), ("bob", "bob", bob.as_str())]
    {
        let api = server.api(vec![("authorization".to_owned(), basic(&format!("{name}:{password}")))]);
        let made = api.post("/nkchat/rpc", mine.clone()).await.expect(200);
        let get = command("get_members", json!({"conversation_id": made["data"]["conversation_id"]}));
        let members = api.post("/nkchat/rpc", get).await.expect(200);
        assert_eq!(members["data"]["user_ids"], json!([user]), "{name}");
        let event = json!({"class": "core", "subclass": "event", "cmd": "send", "data": {"class": "app"}});
        let answer = api.post("/nkchat/rpc", event.clone()).await.expect(200);
        assert_eq!(answer["data"]["code"], "unauthorized", "{name}");
        let admin = server.api(vec![("authorization".to_owned(), basic(&format!("root:{root}")))]);
        assert_eq!(admin.post("/nkchat/rpc", event).await.expect(200), json!({"result": "ok"}));
    }
    for wrong in [
        "ann@domain.com:1234".to_owned(),
        "ann@domain.com:".to_owned(),
        ":12:34".to_owned(),
        "nobody:12:34".to_owned(),
        "ann@domain.com".to_owned(),
        format!("ann:{bob}"),
        format!("{}:12:34", "x".repeat(300)),
    ] {
        let api = server.api(vec![("authorization".to_owned(), basic(&wrong))]);
        assert_eq!(api.post("/nkchat/rpc", mine.clone()).await.expect(403), json!("Forbidden"), "{wrong}");
    }
    server.end().await;
}
