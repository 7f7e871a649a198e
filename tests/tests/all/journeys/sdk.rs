//! The requests that the official SDK sent, word for word, and what each is answered with.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Server, http};

/// A request, as it was recorded.
#[derive(Deserialize)]
struct Recorded {
    method: String,
    url: String,
    headers: std::collections::BTreeMap<String, String>,
    body: Option<Value>,
}

const RECORDED: &str = include_str!("../../../fixtures/channelize/sdk-requests.jsonl");

/// The status of each recorded request, in order. The recording names ids that are none (`a`, `b`, `P`, `boom`),
/// and recalls a message whose own copy its author has deleted just before: it is still the author's to take back.
const STATUSES: [u16; 26] = [
    200, 201, 201, 200, 201, 201, 201, 201, 200, 200, 204, 204, 200, 204, 204, 204, 204, 200, 200, 204, 204,
    200, 204, 200, 200, 404,
];

#[tokio::test]
async fn every_request_that_the_sdk_sent_is_answered() {
    let server = Server::start_with(|options| options.secrets.server = "PRIV".to_owned()).await;
    let app = server.api(vec![("authorization".to_owned(), http::basic("PRIV"))]);
    for id in ["18646", "18664", "18714"] {
        app.post("/v2/users", json!({"id": id, "displayName": id})).await.expect(201);
    }
    // The recording's conversation and message, as its stand-in server had them.
    let team = json!({"id": "1021", "title": "T", "members": ["18646", "18664"], "isGroup": true});
    let owner = app.clone().with("user-id", "18646");
    owner.post("/v2/conversations", team).await.expect(201);
    let message = "5a928b10-4258-11ea-9c07-831a487bf6af";
    owner
        .post("/v2/messages/send", json!({"id": message, "conversationId": "1021", "body": "first"}))
        .await
        .expect(201);
    let recorded: Vec<Recorded> = RECORDED.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(recorded.len(), STATUSES.len());
    let mut statuses = Vec::new();
    for request in &recorded {
        let headers = request.headers.clone().into_iter().collect();
        let answer = server.api(headers).ask(&request.method, &request.url, request.body.clone()).await;
        if answer.status >= 400 {
            let error = &answer.body["error"];
            assert_eq!(error["statusCode"], answer.status, "{answer:?}");
            for key in ["name", "message", "code"] {
                assert!(error[key].is_string(), "{answer:?}");
            }
        }
        if answer.status == 204 {
            assert_eq!(answer.body, Value::Null, "{answer:?}");
        }
        statuses.push((answer.status, answer.asked));
    }
    let expected: Vec<_> =
        STATUSES.into_iter().zip(statuses.iter().map(|(_, asked)| asked.clone())).collect();
    assert_eq!(statuses, expected);
    server.end().await;
}
