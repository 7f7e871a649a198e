//! What comparing with the original, request by request, has shown, beside what was recorded.

use serde_json::{Value, json};

use super::{connect, heard, open, send, signed};
use crate::harness::Server;

const UUID: &str = "12345678-1234-5678-1234-567812345678";

fn texts(history: &Value) -> Vec<&str> {
    history.as_array().unwrap().iter().map(|one| one["message"]["text"].as_str().unwrap()).collect()
}

async fn history(server: &Server, channel: &str) -> Value {
    let info = signed(server).post("/info", json!({"info": {"channels": [channel]}})).await.expect(200);
    info["channels"][channel]["history"].clone()
}

async fn configure(server: &Server, config: Value) {
    signed(server).post("/channel_config", json!({ "room": config })).await.expect(200);
}

async fn say(server: &Server, texts: &[&str]) -> Vec<Value> {
    let message = |text: &&str| json!({"channel": "room", "user": "ann", "message": {"text": text}});
    let batch: Vec<Value> = texts.iter().map(message).collect();
    signed(server).post("/message", json!(batch)).await.expect(200).as_array().unwrap().clone()
}

#[tokio::test]
async fn a_history_is_a_list_that_what_comes_pushes_on() {
    let server = Server::start().await;
    configure(&server, json!({"store_history": true, "history_size": 3})).await;
    say(&server, &["1", "2", "3", "4"]).await;
    // A smaller size takes nothing away until something comes, a larger one brings nothing back.
    configure(&server, json!({"store_history": true, "history_size": 2})).await;
    assert_eq!(texts(&history(&server, "room").await), ["2", "3", "4"]);
    let five = say(&server, &["5"]).await;
    assert_eq!(texts(&history(&server, "room").await), ["4", "5"]);
    configure(&server, json!({"store_history": true, "history_size": 3})).await;
    assert_eq!(texts(&history(&server, "room").await), ["4", "5"]);
    // What is deleted makes room for the next, not for an older one.
    let delete = json!([{"channel": "room", "uuid": five[0]["uuid"]}]);
    signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
    assert_eq!(texts(&history(&server, "room").await), ["4"]);
    say(&server, &["6", "7", "8"]).await;
    assert_eq!(texts(&history(&server, "room").await), ["6", "7", "8"]);
    // What comes while none is kept leaves it as it is.
    configure(&server, json!({})).await;
    say(&server, &["9"]).await;
    assert_eq!(texts(&history(&server, "room").await), ["6", "7", "8"]);
    // Nothing is too much where the size is 0.
    configure(&server, json!({"store_history": true, "history_size": 0})).await;
    let many: Vec<String> = (10..60).map(|n| n.to_string()).collect();
    say(&server, &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(history(&server, "room").await.as_array().unwrap().len(), 53);
    server.end().await;
}

#[tokio::test]
async fn a_history_has_the_newest_that_go_into_a_reply() {
    let server = Server::start().await;
    configure(&server, json!({"store_history": true, "history_size": 0})).await;
    let long: Vec<String> = (10..50).map(|n| format!("{n}{}", "x".repeat(90_000))).collect();
    for texts in long.chunks(8) {
        say(&server, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let shown = history(&server, "room").await;
    let bytes = shown.to_string().len();
    assert!((2_800_000..3_000_000).contains(&bytes), "{bytes}");
    let shown = texts(&shown);
    assert_eq!(shown, long[long.len() - shown.len()..].iter().map(String::as_str).collect::<Vec<_>>());
    server.end().await;
}

#[tokio::test]
async fn null_leaves_a_channel_s_settings_as_they_are() {
    let server = Server::start().await;
    configure(&server, json!({"notify_presence": true, "history_size": 7})).await;
    configure(&server, Value::Null).await;
    let info = signed(&server).post("/info", json!({"info": {"channels": ["room"]}})).await.expect(200);
    let settings = &info["channels"]["room"]["settings"];
    assert_eq!((&settings["notify_presence"], &settings["history_size"]), (&json!(true), &json!(7)));
    server.end().await;
}

#[tokio::test]
async fn each_event_has_a_frame_of_its_own_in_the_original_s_words() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    let message = |n: u64| json!({"channel": "room", "user": "ann", "message": {"n": n}, "timestamp": "2010-1-2T03:04Z"});
    let echoes = signed(&server).post("/message", json!([message(1), message(2)])).await.expect(200);
    // A reply spells UTC so, and a frame otherwise.
    assert_eq!(echoes[0]["timestamp"], "2010-01-02T03:04:00+00:00");
    let frames = bob.socket.wait_until("two frames", |heard| heard.frames.len() == 2).await.frames;
    for (frame, n) in frames.iter().zip(1..) {
        assert_eq!(frame.as_array().unwrap().len(), 1, "{frame}");
        assert_eq!(frame[0]["timestamp"], "2010-01-02T03:04:00Z");
        assert_eq!(frame[0]["message"], json!({ "n": n }));
    }
    server.end().await;
}

#[tokio::test]
async fn what_was_missed_comes_channel_by_channel_and_then_what_was_for_the_user() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["a", "b"], json!({})).await;
    let message = |to: Value, text: &str| {
        let mut message = json!({"user": "ann", "message": {"text": text}});
        message.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
        message
    };
    for (to, text) in [
        (json!({"pm_users": ["bob"]}), "private"),
        (json!({"channel": "b"}), "b1"),
        (json!({"channel": "a"}), "a1"),
        (json!({"channel": "b"}), "b2"),
    ] {
        send(&server, message(to, text)).await;
        server.clock.step(1);
    }
    server.running.drained().await;
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    let told = heard(&server, &mut bob).await;
    assert_eq!(texts(&json!(told)), ["a1", "b1", "b2", "private"]);
    server.end().await;
}

#[tokio::test]
async fn what_was_written_before_the_socket_opened_was_missed_however_soon_it_is_told() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    let message = |text: &str| json!({"channel": "room", "user": "ann", "message": {"text": text}});
    send(&server, message("before")).await;
    server.clock.step(1);
    let mut bob = open(&server, "bob", connected["conn_id"].as_str().unwrap()).await;
    send(&server, message("after")).await;
    heard(&server, &mut bob).await;
    // The stream may bring what was before when the socket is open already, as here it brings it again.
    server.deliver_again("room").await;
    let told = heard(&server, &mut bob).await;
    let told: Vec<_> = told.iter().map(|one| (&one["message"]["text"], &one["catchup"])).collect();
    assert_eq!(told, [(&json!("before"), &json!(true)), (&json!("after"), &json!(false))]);
    server.end().await;
}

#[tokio::test]
async fn refusals_are_worded_as_the_original_words_them() {
    let server = Server::start().await;
    let signed = signed(&server);
    for (path, body, refusal) in [
        (
            "/message",
            json!([{"user": 1}, "x", 5]),
            json!({
                "0": {"user": ["Not a valid string."]}, "1": {}, "2": {},
                "_schema": ["Invalid input type.", "Invalid input type."],
            }),
        ),
        ("/connect", json!([]), json!({"_schema": ["Invalid input type."]})),
        ("/info", json!([]), json!({"_schema": ["Invalid type."]})),
        (
            "/user_state",
            json!({"user": ""}),
            json!({
                "user": ["Length must be between 1 and 512.", "Unknown user"],
            }),
        ),
        (
            "/message",
            json!([{"user": "a", "timestamp": "2010-01-01T01:01:02."}]),
            json!({
                "0": {"timestamp": ["Not a valid datetime."]},
            }),
        ),
    ] {
        assert_eq!(signed.post(path, body).await.expect(422), refusal, "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_body_that_says_nothing_may_be_absent_but_not_malformed() {
    let server = Server::start().await;
    let signed = signed(&server);
    let path = "/admin/admin.json";
    for malformed in [&b"{"[..], b"{} {}", b"\xff", b"\"\xff\""] {
        let refused = signed.ask_raw("POST", path, malformed).await.expect(400);
        assert_eq!(refused, json!({"body": ["Not valid JSON."]}));
        // Who has not signed is told that first.
        assert_eq!(server.api(Vec::new()).ask_raw("POST", path, malformed).await.status, 302);
    }
    for fine in ["", " ", "{}", "null", "[1]"] {
        signed.ask_raw("POST", path, fine).await.expect(200);
    }
    server.end().await;
}

#[tokio::test]
async fn a_state_is_told_in_the_order_in_which_it_was_given() {
    let server = Server::start().await;
    connect(&server, "bob", &[], json!({})).await;
    let raw = r#"{"user": "bob", "user_state": {"z": 1, "y": 2, "a": 3}}"#;
    let reply = signed(&server).ask_raw("POST", "/user_state", raw).await.expect(200);
    let keys: Vec<&str> =
        reply["changed_state"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["z", "y", "a"]);
    server.end().await;
}

#[tokio::test]
async fn the_pages_of_refusals_are_the_original_s() {
    const UNKNOWN: &str = "This server could not verify that you are authorized to access the document you requested.  Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.";
    let server = Server::start().await;
    let accepting = |accept: &str| server.api(vec![("accept".to_owned(), accept.to_owned())]);
    let html = |title: &str, text: &str, more: &str| {
        format!(
            "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {text}<br/><br/>\n{more}\n\n\n </body>\n</html>"
        )
    };
    let browser = accepting("text/html,*/*;q=0.8");
    let unknown = format!("/listen?conn_id={UUID}");
    assert_eq!(browser.get(&unknown).await.expect(401), html("401 Unauthorized", UNKNOWN, ""));
    assert_eq!(
        browser.post("/connect", json!({})).await.expect(403),
        html("403 Forbidden", "Access was denied to this resource.", "")
    );
    assert_eq!(
        browser.get("/connect").await.expect(404),
        html(
            "404 Not Found",
            "The resource could not be found.",
            "predicate mismatch for view connect (request_method = POST)"
        )
    );
    assert_eq!(
        accepting("application/json").get(&unknown).await.expect(401),
        json!({"message": format!("{UNKNOWN}\n\n\n\n\n"), "code": "401 Unauthorized", "title": "Unauthorized"})
    );
    assert_eq!(
        accepting("image/png").get(&unknown).await.expect(401),
        format!("401 Unauthorized\n\n{UNKNOWN}\n\n\n\n\n")
    );
    // A signature need not be there everywhere, but where there is one it must be right.
    let forged = server.api(vec![("x-channelstream-secret".to_owned(), "a.b.c".to_owned())]);
    for path in ["/disconnect", "/connect", &unknown] {
        assert_eq!(forged.get(path).await.expect(401), json!({"request": "Bad Signature"}), "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn any_method_asks_for_info() {
    let server = Server::start().await;
    connect(&server, "bob", &["room"], json!({})).await;
    let body = json!({"info": {"channels": ["room"]}});
    let expected = signed(&server).post("/info", body.clone()).await.expect(200);
    for method in ["PUT", "PATCH", "DELETE"] {
        assert_eq!(signed(&server).ask(method, "/info", Some(body.clone())).await.expect(200), expected);
    }
    assert_eq!(server.api(Vec::new()).ask("PUT", "/info", Some(body)).await.status, 403);
    server.end().await;
}

#[tokio::test]
async fn numbers_and_lists_come_back_as_they_were_given() {
    let server = Server::start().await;
    configure(&server, json!({"store_history": true})).await;
    let raw = r#"[{"channel": "room", "user": "ann", "message": {"n": 123456789.12345679, "m": 18446744073709551615},
        "pm_users": ["z", "a", "z"]}]"#;
    let echo = signed(&server).ask_raw("POST", "/message", raw).await.expect(200);
    let kept = history(&server, "room").await;
    for one in [&echo[0], &kept[0]] {
        assert_eq!(one["message"]["n"].to_string(), "123456789.12345679");
        assert_eq!(one["message"]["m"].to_string(), "18446744073709551615");
        assert_eq!(one["pm_users"], json!(["z", "a", "z"]));
    }
    server.end().await;
}
