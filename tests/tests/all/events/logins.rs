//! Whose login is whose: ids, e-mail addresses and nkchat logins are one space, in which case does not matter.

use serde_json::{Value, json};

use super::{browser::Browser, password, sign_up};
use crate::{
    harness::{Server, http::Answer},
    nkchat,
};

/// The number of the user that a name and a password sign in; none if they are refused.
async fn signs_in(server: &Server, name: &str, password: &str) -> Option<u64> {
    let browser = Browser::new(server, name);
    let page = browser.post("/api/v1/login", json!({"userName": name, "password": password})).await;
    let right = page.status == 200;
    assert!(right || page.status == 401, "{page:?}");
    right.then(|| page.json()["userId"].as_u64().unwrap())
}

async fn make(server: &Server, user: Value) -> Answer {
    server.server().post("/v2/users", user).await
}

async fn rpc_make(server: &Server, login: &str) -> Value {
    let new = json!({"login": login, "name": "X", "password": "p"});
    let body = json!({"class": "chat", "subclass": "user", "cmd": "create", "data": new});
    server.server().post("/nkchat/rpc", body).await.expect(200)
}

#[tokio::test]
async fn nobody_takes_the_id_of_another_as_an_address_however_it_is_spelled() {
    let server = Server::start().await;
    let user = |id: &str| json!({"id": id, "displayName": id, "password": password(id)});
    let ann = make(&server, user("ann@x.com")).await.expect(201)["id"].clone();
    assert_eq!(ann, "ann@x.com");
    make(&server, user("Bob@x.com")).await.expect(201);
    sign_up(&server, &["mallory"]).await;
    // One without a password is a user, too.
    make(&server, json!({"id": "cat@x.com", "displayName": "Cat"})).await.expect(201);
    for address in ["ann@x.com", "ANN@x.com", "bob@x.com", "Bob@X.com", "CAT@x.com"] {
        server.user("mallory").put("/v2/users/mallory", json!({"email": address})).await.expect(400);
        let new = json!({"id": "new", "displayName": "New", "email": address, "password": "p"});
        make(&server, new).await.expect(400);
        assert_eq!(rpc_make(&server, address).await["data"]["code"], "obj_already_exists", "{address}");
    }
    assert_eq!(signs_in(&server, "ann@x.com", &password("ann@x.com")).await, Some(1));
    assert_eq!(signs_in(&server, "ann@x.com", &password("mallory")).await, None);
    assert_eq!(signs_in(&server, "Bob@x.com", &password("Bob@x.com")).await, Some(2));
    // One's own id is no other's, and stays a login when the address is another.
    for address in ["Ann@X.com", "ann@y.com", "ANN@x.com", "ann@y.com"] {
        server.user("ann@x.com").put("/v2/users/ann@x.com", json!({"email": address})).await.expect(200);
        server.user("mallory").put("/v2/users/mallory", json!({"email": "ANN@x.com"})).await.expect(400);
    }
    // Who is gone has no login any more.
    nkchat::rpc(&server, "user", "delete", json!({"user_id": "ann@x.com"})).await;
    server.user("mallory").put("/v2/users/mallory", json!({"email": "ANN@x.com"})).await.expect(200);
    assert_eq!(signs_in(&server, "ann@x.com", &password("mallory")).await, Some(3));
    server.end().await;
}

#[tokio::test]
async fn nobody_gets_an_id_and_a_password_that_are_another_s_login() {
    let server = Server::start().await;
    sign_up(&server, &["ann"]).await;
    assert_eq!(rpc_make(&server, "nick").await["result"], "ok");
    for id in ["ann@example.org", "ANN@example.org", "nick", "Nick"] {
        let new = json!({"id": id, "displayName": "x", "password": "p"});
        make(&server, new).await.expect(400);
        make(&server, json!({"id": id, "displayName": "x"})).await.expect(400);
    }
    // A token names whom the application wants; as it has no password, it takes nobody's login.
    let named = server.user("ann@example.org");
    named.get("/v2/conversations").await.expect(200);
    named.put("/v2/users/ann@example.org", json!({"displayName": "Other"})).await.expect(200);
    assert_eq!(signs_in(&server, "ann@example.org", &password("ann")).await, Some(1));
    named.put("/v2/users/ann@example.org", json!({"password": "mine"})).await.expect(400);
    assert_eq!(signs_in(&server, "ann@example.org", "mine").await, None);
    assert_eq!(signs_in(&server, "ann@example.org", &password("ann")).await, Some(1));
    server.end().await;
}

#[tokio::test]
async fn who_types_an_id_as_it_is_means_that_user() {
    let server = Server::start().await;
    let user = json!({"id": "ann@x.com", "displayName": "Ann", "password": password("ann")});
    make(&server, user).await.expect(201);
    sign_up(&server, &["mallory"]).await;
    // As it was before ids were claimed: the login of the same spelling is somebody else's.
    let mut claim = store::Item::new();
    let key = store::keys::login("ann@x.com");
    for (name, value) in [("pk", key.pk.as_str()), ("sk", key.sk.as_str()), ("u", "mallory")] {
        claim.insert(name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned()));
    }
    let (items, table) = (&server.running.items, &server.running.table);
    items.put_item().table_name(table).set_item(Some(claim)).send().await.unwrap();
    assert_eq!(signs_in(&server, "ann@x.com", &password("ann")).await, Some(1));
    assert_eq!(signs_in(&server, "ann@x.com", &password("mallory")).await, None);
    assert_eq!(signs_in(&server, "ANN@x.com", &password("mallory")).await, Some(2));
    server.end().await;
}

#[tokio::test]
async fn of_many_who_want_one_login_at_once_one_gets_it() {
    let server = Server::start().await;
    let user = |id: &str, email: Option<&str>| json!({"id": id, "displayName": "x", "password": "p", "email": email});
    let wanted = [
        user("zoe@x.com", None),
        user("Zoe@x.com", None),
        user("a", Some("ZOE@x.com")),
        user("b", Some("zoe@x.com")),
    ];
    let mut made = 0;
    // Those that met in the table may all be refused as busy: then one gets it the next time.
    for _ in 0..2 {
        let makes = wanted.iter().map(|user| make(&server, user.clone()));
        let answers = futures_util::future::join_all(makes).await;
        made += answers.iter().filter(|answer| answer.status == 201).count();
        assert!(made <= 1, "{answers:?}");
    }
    for user in wanted {
        made += usize::from(make(&server, user).await.status == 201);
    }
    assert_eq!(made, 1);
    server.end().await;
}
