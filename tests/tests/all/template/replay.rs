//! Every sample does what its endpoint is for: replayed in a world that has what it names, it succeeds.
//!
//! The world: alice, bob and carol; and the conversation `sample` of alice and bob, numbered 1, whose first message,
//! alice's, has the id `sample`.

use domain::Dialect;
use handlers::{
    context::Secrets,
    endpoint::{Endpoint, Trigger},
    invocation::{HttpReply, Reply},
};
use http::Method;
use serde_json::json;
use switchboard::invoke::invoke;

use crate::harness::{PATIENCE, Server, http::basic};

/// Samples that name what is not in the world, and what they are answered.
const MISSING: [(&str, u16); 6] = [
    // Nothing has an avatar.
    ("events-get-room-avatar", 404),
    ("events-get-user-avatar", 404),
    // No file was uploaded.
    ("events-get-attachment", 404),
    ("events-delete-attachment", 404),
    ("events-download-attachment", 404),
    ("unrouted", 404),
];

/// Samples of what may be done in a private conversation only.
const PRIVATE: [&str; 3] =
    ["channelize-clear-conversation", "channelize-delete-conversation", "channelize-delete-messages"];
/// Samples that let bob in again.
const BANNED: [&str; 2] = ["channelize-unban-users", "channels-unban-user"];

/// What the sample of this name finds.
async fn world(name: &str) -> Server {
    let secret = "dev-secret".to_owned();
    let server = Server::start_with(|options| {
        options.secrets = Secrets { server: secret.clone(), token_key: secret, issuer: None };
    })
    .await;
    let headers = |user: &str| {
        vec![("authorization".to_owned(), basic("dev-secret")), ("user-id".to_owned(), user.to_owned())]
    };
    let alice = server.api(headers("alice"));
    for id in ["bob", "carol"] {
        alice.post("/v2/users", json!({"id": id, "displayName": id})).await.expect(201);
    }
    if name.ends_with("-login") {
        let profile = json!({"email": "alice@example.org", "password": "a long password"});
        alice.put("/v2/users/alice", profile).await.expect(200);
    }
    let kind = if PRIVATE.contains(&name) { "private" } else { "public" };
    let conversation = json!({
        "id": "sample", "title": "Sample", "type": kind, "isGroup": true, "members": ["alice", "bob"],
    });
    alice.post("/v2/conversations", conversation).await.expect(201);
    let message = json!({"conversationId": "sample", "id": "sample", "body": "hello"});
    alice.post("/v2/messages/send", message).await.expect(201);
    if BANNED.contains(&name) {
        alice.post("/v2/conversations/sample/ban", json!({"userIds": ["bob"]})).await.expect(204);
    }
    server
}

async fn replay(server: &Server, endpoint: &'static Endpoint) -> HttpReply {
    let sample = super::read(&format!("{}/{}.json", super::SAMPLES, endpoint.name));
    let call = functions::event::invocation(&endpoint.trigger, &sample).unwrap();
    match invoke(endpoint, &server.running.context, call, PATIENCE).await {
        Ok(Reply::Http(reply)) => reply,
        other => panic!("{}: {other:?}", endpoint.name),
    }
}

#[tokio::test]
async fn every_sample_does_what_its_endpoint_is_for() {
    let endpoints = handlers::endpoints();
    let named = |name: &str| endpoints.iter().find(|one| one.name == name).copied().unwrap();
    let mut faults = Vec::new();
    // Channelstream's requests are tried by its recorded exchanges, the stream by everything.
    let ours = endpoints.iter().filter(|one| {
        one.dialect != Some(Dialect::Channelstream)
            && !matches!(one.trigger, Trigger::Stream(_) | Trigger::Queue)
    });
    // Those that only read find it as they left it.
    let shared = world("").await;
    for endpoint in ours {
        let reads = matches!(&endpoint.trigger, Trigger::Http { method, .. } if *method == Method::GET);
        let own = if reads { None } else { Some(world(endpoint.name).await) };
        let server = own.as_ref().unwrap_or(&shared);
        if let (Trigger::Socket { route_key }, Some(dialect)) = (&endpoint.trigger, endpoint.dialect)
            && *route_key != "$connect"
        {
            let connect = named(&format!("{}-connect", dialect.name()));
            assert_eq!(replay(server, connect).await.status, 200, "{}", connect.name);
        }
        let reply = replay(server, endpoint).await;
        let missing = MISSING.iter().find(|(name, _)| *name == endpoint.name).map(|(_, status)| *status);
        let is_due = match missing {
            Some(status) => reply.status == status,
            None => reply.status.is_success() || reply.status.is_redirection(),
        };
        let body = String::from_utf8_lossy(&reply.body).into_owned();
        let refused = endpoint.name == "nkchat-rpc" && body.contains("\"error\"");
        if !is_due || refused {
            faults.push(format!("{}: {} {body}", endpoint.name, reply.status));
        }
        if let Some(server) = own {
            server.running.shutdown().await;
        }
    }
    shared.running.shutdown().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
