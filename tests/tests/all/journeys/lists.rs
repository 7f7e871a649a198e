//! Lists of conversations: what is gone while they are made, and what they must not tell.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use switchboard::observer::Operation;
use tokio::{runtime::Handle, task::block_in_place};

use crate::harness::{Server, http::Api};

/// What is to happen while a list is made: once it is known which conversations there are.
type Meanwhile = Arc<Mutex<Option<BoxFuture<'static, ()>>>>;

async fn server_with(meanwhile: Meanwhile) -> Server {
    Server::in_process_with(move |options| {
        let recorder = options.observer.take().unwrap();
        options.observer = Some(Arc::new(move |operation: &Operation| {
            recorder.observe(operation);
            let listing = operation.endpoint == Some("channelize-list-conversations");
            if listing && operation.name == "BatchGetItem" {
                let change = meanwhile.lock().unwrap().take();
                if let Some(change) = change {
                    block_in_place(|| Handle::current().block_on(change));
                }
            }
        }));
    })
    .await
}

async fn ids(api: &Api, query: &str) -> Vec<String> {
    let listed = api.get(&format!("/v2/conversations?{query}")).await.expect(200);
    let mut ids: Vec<String> =
        listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

async fn make(server: &Server, id: &str, kind: &str) {
    let body = json!({"id": id, "title": id, "type": kind, "isGroup": true, "members": ["ann", "bob"]});
    server.user("ann").post("/v2/conversations", body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_while_a_list_is_made_is_left_out() {
    let meanwhile = Meanwhile::default();
    let server = server_with(Arc::clone(&meanwhile)).await;
    server.make_users(&["ann", "bob"]).await;
    for id in ["deleted", "kept", "left"] {
        make(&server, id, "private").await;
    }
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let leaver = bob.clone();
    *meanwhile.lock().unwrap() = Some(Box::pin(async move {
        let deleted = ann.delete("/channels/deleted").await;
        assert!(deleted.status < 300, "{deleted:?}");
        let left = leaver.post("/v2/conversations/left/leave", json!({})).await;
        assert!(left.status < 300, "{left:?}");
    }));
    assert_eq!(ids(&bob, "").await, ["kept"]);
    assert!(meanwhile.lock().unwrap().is_none(), "nothing happened meanwhile");
    assert_eq!(ids(&bob, "").await, ["kept"]);
    // Whoever may look in without being a member sees the log end.
    server.make_user("eve").await;
    for id in ["open", "ended"] {
        make(&server, id, "open").await;
    }
    let ann = server.user("ann");
    *meanwhile.lock().unwrap() = Some(Box::pin(async move {
        let ended = ann.delete("/channels/ended").await;
        assert!(ended.status < 300, "{ended:?}");
    }));
    assert_eq!(ids(&server.user("eve"), "publicMode=true").await, ["open"]);
    assert!(meanwhile.lock().unwrap().is_none(), "nothing happened meanwhile");
    server.end().await;
}

#[tokio::test]
async fn who_may_not_list_the_members_does_not_find_by_them() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "eve"]).await;
    for kind in ["private", "public", "open"] {
        make(&server, kind, kind).await;
    }
    let eve = server.user("eve");
    let count = async |api: &Api, query: &str| -> Value {
        api.get(&format!("/v2/conversations/count?{query}")).await.expect(200)["count"].clone()
    };
    assert_eq!(ids(&eve, "publicMode=true").await, ["open", "public"]);
    eve.get("/v2/conversations/public/members").await.expect(403);
    eve.get("/v2/conversations/open/members").await.expect(200);
    for wanted in ["membersIncluded=bob", "membersExactly=ann,bob"] {
        let query = format!("publicMode=true&{wanted}");
        assert_eq!(ids(&eve, &query).await, ["open"], "{wanted}");
        assert_eq!(count(&eve, &query).await, 1, "{wanted}");
        assert_eq!(ids(&server.user("ann"), &query).await, ["open", "public"], "{wanted}");
        assert_eq!(ids(&server.user("ann"), wanted).await, ["open", "private", "public"], "{wanted}");
        assert_eq!(ids(&server.server(), wanted).await, ["open", "private", "public"], "{wanted}");
    }
    server.end().await;
}
