//! The other ways in: a token in the handshake, and commands over HTTP.

use http::HeaderValue;
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};

use super::{Client, token};
use crate::harness::{Server, http::Api};

/// Opens a socket with what a client may prove itself by in the handshake.
async fn arrive(server: &Server, query: &str, headers: &[(&'static str, String)]) -> Result<Client, Error> {
    server.settled().await;
    let url = format!("ws://{}/nkchat{query}", server.running.address);
    let mut request = url.into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    Ok(Client::over(connect_async(request).await?.0))
}

#[tokio::test]
async fn a_token_in_the_handshake_logs_in() {
    let server = Server::start().await;
    let bob = token(&server, "bob", false);
    let ways: [(String, Vec<(&'static str, String)>); 3] = [
        (format!("?token={bob}"), Vec::new()),
        (String::new(), vec![("sec-websocket-protocol", format!("bearer, {bob}"))]),
        (String::new(), vec![("authorization", format!("Bearer {bob}"))]),
    ];
    for (query, headers) in &ways {
        let mut client = arrive(&server, query, headers).await.unwrap();
        let found = client.chat("user", "search", json!({"filter": {"_id": "bob"}})).await;
        assert_eq!(found, json!({"total": 1, "data": [{"_id": "bob"}]}));
        let made = client.chat("conversation", "create", json!({"name": "Bob's"})).await;
        let here = json!({"conversation_id": made["conversation_id"]});
        assert_eq!(client.chat("conversation", "get_members", here).await, json!({"user_ids": ["bob"]}));
        // A client that logs in all the same hears its session's id, once; and nobody becomes somebody else.
        let ann = json!({"user": "ann", "password": token(&server, "ann", false)});
        let other = client.ask("core", "user", "login", ann).await;
        assert_eq!(other["data"]["code"], "already_authenticated");
        let own = json!({"user": "bob", "password": bob, "meta": {"device": "phone"}});
        let done = client.ask("core", "user", "login", own.clone()).await;
        let session = done["data"]["session_id"].as_str().unwrap();
        let ping = client.take(|frame| frame["cmd"] == "ping").await;
        client.send(&json!({"result": "ok", "tid": ping["tid"]}).to_string()).await;
        let sessions = client.ask("core", "user", "get", json!({"user": "bob"})).await;
        assert_eq!(sessions["data"][session], json!({"device": "phone"}));
        let again = client.ask("core", "user", "login", own).await;
        assert_eq!(again["data"]["code"], "already_authenticated");
        client.ask("core", "session", "stop", json!({"session_id": session})).await;
        client.closed().await;
        server.forgotten("bob").await;
    }
    for wrong in ["?token=wrong".to_owned(), format!("?token={bob}x")] {
        match arrive(&server, &wrong, &[]).await.err() {
            Some(Error::Http(refused)) => assert_eq!(refused.status(), 401, "{wrong}"),
            other => panic!("{wrong}: {other:?}"),
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_session_is_found_by_the_name_that_it_logged_in_with() {
    let server = Server::start().await;
    // One user's id is another one's login.
    let mut by_id = Client::login(&server, "user@domain.com", false).await;
    let new = json!({"login": "user@domain.com", "name": "Name", "password": "1234"});
    let made = super::rpc(&server, "user", "create", new).await;
    assert_ne!(made["user_id"], "user@domain.com");
    let found = core(&server.server(), "user", "get", json!({"user": "user@domain.com"})).await;
    assert_eq!(found["data"].as_object().unwrap().len(), 1, "{found}");
    let told = json!({"user": "user@domain.com", "type": "t"});
    assert_eq!(core(&server.server(), "user", "send_event", told).await, json!({"result": "ok"}));
    assert_eq!(by_id.events(&server).await.len(), 1);
    // Now the login is somebody else's: a name that logs in is whose login it is.
    let mut by_login = Client::open(&server).await;
    let login = json!({"user": "user@domain.com", "password": "1234"});
    let done = by_login.ask("core", "user", "login", login).await;
    assert_eq!(done["result"], "ok", "{done}");
    let found = core(&server.server(), "user", "get", json!({"user": "user@domain.com"})).await;
    assert_eq!(found["data"].as_object().unwrap().len(), 2, "{found}");
    server.end().await;
}

async fn core(api: &Api, subclass: &str, cmd: &str, data: Value) -> Value {
    let body = json!({"class": "core", "subclass": subclass, "cmd": cmd, "data": data});
    api.post("/nkchat/rpc", body).await.expect(200)
}

#[tokio::test]
async fn core_commands_go_over_http_as_far_as_they_need_no_socket() {
    let server = Server::start().await;
    let (api, own) = (server.server(), server.user("bob"));
    let mut bob = Client::login(&server, "bob", false).await;
    bob.subscribe(json!({"class": "app"})).await;
    let list = core(&api, "user", "list", json!({})).await;
    let session = list["data"]["bob"][0].as_str().unwrap().to_owned();
    assert_eq!(core(&own, "user", "list", json!({})).await, list);
    let ok = json!({"result": "ok"});
    let to_bob = json!({"user": "bob", "type": "greeting", "body": {"k": 1}});
    assert_eq!(core(&api, "user", "send_event", to_bob.clone()).await, ok);
    let to_session = json!({"session_id": session, "type": "note"});
    assert_eq!(core(&api, "session", "send_event", to_session).await, ok);
    let to_all = json!({"class": "app", "type": "news", "obj_id": "42"});
    assert_eq!(core(&api, "event", "send", to_all).await, ok);
    assert_eq!(core(&own, "session", "log", json!({"source": "app", "message": "hi"})).await, ok);
    let heard = bob.events(&server).await;
    assert_eq!(
        heard,
        [
            json!({"class": "core", "subclass": "user_event", "type": "greeting", "obj_id": "bob", "body": {"k": 1}}),
            json!({"class": "core", "subclass": "session_event", "type": "note", "obj_id": session}),
            json!({"class": "app", "type": "news", "obj_id": "42"}),
        ]
    );
    assert_eq!(core(&own, "user", "send_event", to_bob).await["data"]["code"], "unauthorized");
    // These are about the caller's own socket.
    let class = json!({"class": "chat", "user": "bob", "session_id": session, "cmd": "x"});
    for (subclass, cmd) in [
        ("user", "login"),
        ("event", "subscribe"),
        ("event", "unsubscribe"),
        ("event", "get_subscriptions"),
        ("session", "cmd"),
    ] {
        let answer = core(&api, subclass, cmd, class.clone()).await;
        assert_eq!(answer["data"]["code"], "not_implemented", "{subclass}/{cmd}");
    }
    assert_eq!(core(&own, "session", "stop", json!({"session_id": session})).await, ok);
    bob.closed().await;
    server.end().await;
}
