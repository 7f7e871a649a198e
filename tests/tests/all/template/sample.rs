//! A first sample of an endpoint's invocation, as AWS sends it and `sam local invoke -e` takes it.
//!
//! The frame is API Gateway's and DynamoDB's own; the content (a body, a message, an entry) is for whoever knows
//! the endpoint to fill in. The credentials are those of the local default, `dev-secret`.

use handlers::endpoint::{Endpoint, Trigger};
use serde_json::{Value, json};

/// Server credentials: `dev-secret`, acting for alice.
const AUTHORIZATION: &str = "Basic ZGV2LXNlY3JldA==";

/// The sample, as a file's text.
pub(super) fn of(endpoint: &Endpoint) -> String {
    let sample = match &endpoint.trigger {
        Trigger::Http { method, path } => http(method.as_str(), path),
        Trigger::Unrouted => http("GET", "/no/such/path"),
        Trigger::Socket { route_key } => socket(route_key),
        Trigger::Stream(_) => stream(),
        Trigger::Queue => queue(),
    };
    serde_json::to_string_pretty(&sample).unwrap() + "\n"
}

fn http(method: &str, route: &str) -> Value {
    let mut parameters = serde_json::Map::new();
    let segments: Vec<_> = route
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                let value = if name.to_ascii_lowercase().contains("user") { "bob" } else { "sample" };
                parameters.insert(name.to_owned(), json!(value));
                value
            }
            None => segment,
        })
        .collect();
    let path = segments.join("/");
    let mut sample = json!({
        "version": "2.0",
        "routeKey": format!("{method} {route}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "authorization": AUTHORIZATION,
            "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "user-id": "alice",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-proto": "https"
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.5.0"
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": format!("{method} {route}"),
            "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1_773_119_783_000_i64
        },
        "isBase64Encoded": false
    });
    if !parameters.is_empty() {
        sample["pathParameters"] = Value::Object(parameters);
    }
    if matches!(method, "POST" | "PUT" | "PATCH") {
        sample["headers"]["content-type"] = json!("application/json");
        sample["body"] = json!("{}");
    }
    sample
}

fn socket(route_key: &str) -> Value {
    let event_type = match route_key {
        "$connect" => "CONNECT",
        "$disconnect" => "DISCONNECT",
        _ => "MESSAGE",
    };
    let mut sample = json!({
        "requestContext": {
            "apiId": "f6g7h8i9j0",
            "connectedAt": 1_773_119_783_000_i64,
            "connectionId": "JKJaXfDoPHcCE5g=",
            "domainName": "f6g7h8i9j0.execute-api.eu-central-1.amazonaws.com",
            "eventType": event_type,
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0"},
            "messageDirection": "IN",
            "requestId": "JKJaXmPLvHcESHA=",
            "requestTime": "10/Mar/2026:05:16:23 +0000",
            "requestTimeEpoch": 1_773_119_783_012_i64,
            "routeKey": route_key,
            "stage": "live"
        },
        "isBase64Encoded": false
    });
    match route_key {
        "$connect" => {
            let host = "f6g7h8i9j0.execute-api.eu-central-1.amazonaws.com";
            sample["headers"] = json!({"Authorization": AUTHORIZATION, "Host": host, "User-Id": "alice"});
            sample["multiValueHeaders"] =
                json!({"Authorization": [AUTHORIZATION], "Host": [host], "User-Id": ["alice"]});
        }
        "$disconnect" => {
            sample["requestContext"]["disconnectStatusCode"] = json!(1001);
            sample["requestContext"]["disconnectReason"] = json!("Going away");
        }
        _ => {
            sample["requestContext"]["messageId"] = json!("JKJaXcJ3vHcCE5g=");
            sample["body"] = json!("{}");
        }
    }
    sample
}

fn queue() -> Value {
    let chunk = json!({
        "number": 1, "generation": 1_773_119_783_000_i64, "round": 1,
        "shard": {"list": "members", "at": 0, "stretch": {"to": "m"}},
        "carried": [{"entries": [2, 2]}]
    });
    json!({
        "Records": [{
            "messageId": "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5",
            "receiptHandle": "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw",
            "body": chunk.to_string(),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1773119783000",
                "SequenceNumber": "18849496460467696128",
                "MessageGroupId": "1.1773119783000.m0",
                "SenderId": "AIDAIO23YVJENQZJOL4VO",
                "MessageDeduplicationId": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "ApproximateFirstReceiveTimestamp": "1773119783000"
            },
            "messageAttributes": {},
            "md5OfBody": "d41d8cd98f00b204e9800998ecf8427e",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:switchboard-chunks.fifo",
            "awsRegion": "eu-central-1"
        }]
    })
}

fn stream() -> Value {
    let keys = json!({"pk": {"S": "LOG#1"}, "sk": {"S": "000000000002"}});
    // A message of alice's, as the store writes it.
    let image = json!({
        "pk": {"S": "LOG#1"},
        "sk": {"S": "000000000002"},
        "t": {"N": "1773119783000"},
        "d": {"S": "z"},
        "r": {"N": "2748779069441"},
        "g": {"N": "1"},
        "k": {"S": "m"},
        "u": {"S": "alice"},
        "b": {"S": "hello"}
    });
    json!({
        "Records": [{
            "eventID": "c4ca4238a0b923820dcc509a6f75849b",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_773_119_783,
                "Keys": keys,
                "NewImage": image,
                "SequenceNumber": "4421584500000000017450439091",
                "SizeBytes": 90,
                "StreamViewType": "NEW_AND_OLD_IMAGES"
            },
            "eventSourceARN":
                "arn:aws:dynamodb:eu-central-1:123456789012:table/switchboard-Table/stream/2026-03-10T05:00:00.000"
        }]
    })
}
