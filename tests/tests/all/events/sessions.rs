//! Who is signed in: cookies and tokens.

use http::header;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use super::{browser::Browser, make_room, password, sign_up, signed_in};
use crate::{harness::Server, nkchat};

const EXPECTED: &str = "The Authorization HTTP-header or VirolaUserSessionId cookie expected";
const WRONG: &str = "Wrong Bearer, please renew Web API Access Token";

#[tokio::test]
async fn a_login_gives_a_cookie_and_a_logout_ends_it() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let cookie = ann.cookie.clone().unwrap();
    let secret = cookie.strip_prefix("VirolaUserSessionId=").unwrap();
    let status = ann.get("/api/v1/status").await.expect(200);
    assert_eq!(status, json!({"httpStatusCode": 200, "userId": 1, "userSessionId": secret}));
    let mut other = Browser::new(&server, "ann");
    other.log_in().await;
    let socket = ann.listen(&server).await.unwrap();
    let out = ann.post("/api/v1/logout", json!({})).await;
    let cleared = out.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cleared.starts_with("VirolaUserSessionId=; ") && cleared.contains("Max-Age=0"), "{cleared}");
    out.expect(200);
    socket.wait_until("the end of a session's socket", |heard| heard.closed.is_some()).await;
    let refused = ann.get("/api/v1/status").await.expect(401);
    assert_eq!(refused["errorText"], WRONG);
    ann.post("/api/v1/logout", json!({})).await.expect(401);
    assert!(ann.listen(&server).await.is_err());
    other.get("/api/v1/status").await.expect(200);
    other.get("/api/v1/logout").await.expect(200);
    other.get("/api/v1/status").await.expect(401);
    server.end().await;
}

#[tokio::test]
async fn a_session_is_over_after_thirty_days() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    server.clock.step(30 * 86_400_000 - 1_000);
    ann.get("/api/v1/status").await.expect(200);
    server.clock.step(1_000);
    ann.get("/api/v1/status").await.expect(401);
    server.end().await;
}

#[tokio::test]
async fn a_session_ends_with_its_user_and_is_not_the_next_one_s_of_that_id() {
    let server = Server::start().await;
    let old = signed_in(&server, "erin").await;
    old.get("/api/v1/status").await.expect(200);
    nkchat::rpc(&server, "user", "delete", json!({"user_id": "erin"})).await;
    assert_eq!(old.get("/api/v1/status").await.expect(401)["errorText"], WRONG);
    let new = signed_in(&server, "erin").await;
    make_room(&server, "private", &["erin"]).await;
    assert_eq!(new.get("/api/v1/rooms").await.expect(200)["rooms"].as_array().unwrap().len(), 1);
    for path in ["/api/v1/rooms", "/api/v1/status"] {
        assert_eq!(old.get(path).await.expect(401)["errorText"], WRONG, "{path}");
    }
    assert!(old.listen(&server).await.is_err());
    // The same password as before makes no difference, nor does it to the one who knows it now.
    assert!(new.listen(&server).await.is_ok());
    server.end().await;
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_that_the_old_one_opened() {
    let server = Server::start().await;
    let old = signed_in(&server, "ann").await;
    let other = signed_in(&server, "bob").await;
    let ann = server.user("ann");
    ann.ask("PUT", "/v2/users/ann", Some(json!({"displayName": "Ann"}))).await.expect(200);
    old.get("/api/v1/status").await.expect(200);
    ann.ask("PUT", "/v2/users/ann", Some(json!({"password": "a better one"}))).await.expect(200);
    assert_eq!(old.get("/api/v1/status").await.expect(401)["errorText"], WRONG);
    assert!(old.listen(&server).await.is_err());
    let mut new = Browser::new(&server, "ann");
    let page = new.post("/api/v1/login", json!({"userName": "ann", "password": "a better one"})).await;
    new.keep(&page);
    new.get("/api/v1/status").await.expect(200);
    other.get("/api/v1/status").await.expect(200);
    server.end().await;
}

#[tokio::test]
async fn a_login_takes_the_id_or_the_address_and_the_right_password() {
    let server = Server::start().await;
    sign_up(&server, &["ann"]).await;
    let browser = Browser::new(&server, "ann");
    let log_in = |name: &str, password: &str| {
        let body = json!({"userName": name, "password": password});
        browser.post("/api/v1/login", body)
    };
    let page = log_in("ann@example.org", &password("ann")).await;
    let cookie = page.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for flag in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "a browser would not keep it on this machine: {cookie}");
    assert_eq!(page.expect(200)["userId"], 1);
    for (name, password) in [("ann", "wrong"), ("bob", "wrong"), ("", ""), ("ann", &"x".repeat(2_000))] {
        let refused = log_in(name, password).await.expect(401);
        assert_eq!(refused["errorText"], "The username or password is invalid.");
    }
    for body in ["", "{", "[]", r#"{"userName":1,"password":"x"}"#, r#"{"userName":"ann"}"#] {
        browser.ask("POST", "/api/v1/login", body).await.expect(400);
    }
    server.end().await;
}

#[tokio::test]
async fn a_token_is_as_good_as_a_cookie() {
    let server = Server::start().await;
    sign_up(&server, &["ann"]).await;
    let mut browser = Browser::new(&server, "ann");
    browser.headers = vec![("authorization", format!("Bearer {}", server.token("ann")))];
    let status = browser.get("/api/v1/status").await.expect(200);
    assert_eq!(status, json!({"httpStatusCode": 200, "userId": 1, "userSessionId": ""}));
    for wrong in ["Bearer nonsense", "Bearer a.b.c", "Basic nonsense"] {
        browser.headers = vec![("authorization", wrong.to_owned())];
        let refused = browser.get("/api/v1/rooms").await.expect(401);
        assert_eq!(refused["errorText"], WRONG);
    }
    browser.headers.clear();
    for path in ["/api/v1/rooms", "/api/v1/users", "/api/v1/status", "/api/v1/rooms/1/messages"] {
        assert_eq!(browser.get(path).await.expect(401)["errorText"], EXPECTED, "{path}");
    }
    assert_eq!(browser.get("/api/v1/server-health").await.expect(200)["status"], "Ok");
    assert_eq!(browser.get("/api/v1/nothing").await.expect(404)["errorText"], "Route not found");
    server.end().await;
}

#[tokio::test]
async fn a_cookie_counts_for_pages_of_the_same_origin_or_of_the_list_only() {
    let server = Server::start_with(|options| {
        options.allowed_origins = vec!["https://chat.example".to_owned()];
    })
    .await;
    let mut ann = signed_in(&server, "ann").await;
    let own = format!("http://{}", server.running.address);
    ann.headers = vec![
        ("origin", "https://chat.example".to_owned()),
        ("access-control-request-method", "POST".to_owned()),
    ];
    let preflight = ann.ask("OPTIONS", "/api/v1/login", "").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-credentials"], "true");
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap();
    for needed in ["authorization", "content-type", "user-id", "idempotency-key"] {
        assert!(allowed.split(',').any(|one| one == needed), "{needed}: a `*` does not count with cookies");
    }
    for (origin, allowed) in [
        (own.as_str(), true),
        ("https://chat.example", true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        ann.headers = vec![("origin", origin.to_owned())];
        let status = ann.get("/api/v1/status").await.status;
        assert_eq!(status, if allowed { 200 } else { 403 }, "{origin}");
        match ann.listen(&server).await {
            Ok(_) => assert!(allowed, "{origin}"),
            Err(Error::Http(refused)) => assert!(!allowed && refused.status() == 403, "{origin}"),
            Err(error) => panic!("{origin}: {error}"),
        }
    }
    server.end().await;
}

#[tokio::test]
async fn without_a_list_a_cookie_of_another_origin_still_counts_for_nothing() {
    let server = Server::start().await;
    let mut ann = signed_in(&server, "ann").await;
    ann.headers = vec![("origin", "https://evil.example".to_owned())];
    assert!(ann.listen(&server).await.is_err());
    ann.post("/api/v1/rooms", json!({"displayName": "x"})).await.expect(403);
    server.end().await;
}
