//! The samples in `events/` are one story, each a real invocation: told in order, every function does what it is for.

use handlers::invocation::Reply;
use serde_json::{Value, json};
use switchboard::invoke::invoke;

use crate::harness::{PATIENCE, Server};

/// Invokes a function with its sample; says the status and the body.
async fn run(server: &Server, name: &str) -> (u16, Value) {
    let endpoint = handlers::endpoints().into_iter().find(|one| one.name == name).unwrap();
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let sample = std::fs::read_to_string(path).unwrap();
    let call = functions::event::invocation(&endpoint.trigger, &sample).unwrap();
    let reply = invoke(endpoint, &server.running.context, call, PATIENCE).await.unwrap();
    server.settled().await;
    let Reply::Http(reply) = reply else { panic!("{name}: {reply:?}") };
    let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    (reply.status.as_u16(), body)
}

#[tokio::test]
async fn the_samples_do_what_their_functions_are_for() {
    let server = Server::start_with(|options| options.secrets.server = "dev-secret".to_owned()).await;
    let sample = async |name: &str| {
        let (status, body) = run(&server, &format!("channelstream-{name}")).await;
        assert_eq!(status, 200, "{name}: {body}");
        body
    };
    assert_eq!(sample("channel-config").await["channels"]["lobby"]["settings"]["history_size"], 50);
    assert_eq!(sample("connect").await["public_state"], json!({"colour": "green"}));
    assert_eq!(sample("subscribe").await["subscribed_to"], json!(["news"]));
    assert_eq!(sample("user-state").await["changed_state"], json!([{"key": "colour", "value": "blue"}]));
    assert_eq!(sample("send-messages").await.as_array().unwrap().len(), 2);
    assert_eq!(sample("edit-messages").await[0]["message"]["text"], "hello again");
    let told = sample("listen").await;
    let texts: Vec<_> = told.as_array().unwrap().iter().map(|event| &event["message"]["text"]).collect();
    assert_eq!(texts, ["hello again", "hello again", "a note to myself"]);
    let info = sample("info").await;
    assert_eq!(info["channels"]["lobby"]["history"][0]["message"]["text"], "hello again");
    assert_eq!(sample("get-info").await["channels"].as_object().unwrap().len(), 2);
    for name in ["admin-json", "post-admin-json"] {
        assert_eq!(sample(name).await["unique_user_count"], 1);
    }
    sample("delete-messages").await;
    assert_eq!(sample("info").await["channels"]["lobby"]["history"], json!([]));
    assert_eq!(sample("unsubscribe").await["channels"], json!(["lobby"]));
    for name in ["socket-connect", "socket-default", "socket-disconnect"] {
        sample(name).await;
    }
    // The socket's end was the connection's.
    assert_eq!(sample("disconnect").await, false);
    sample("connect").await;
    assert_eq!(sample("get-disconnect").await, true);
    assert_eq!(sample("disconnect").await, false);
    server.end().await;
}
