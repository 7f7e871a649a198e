//! A browser: it keeps the cookie that it is given, and sends it along.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};

use super::password;
use crate::harness::{
    Server,
    http::{Client, client},
    socket::Socket,
    within,
};

/// A browser of one user.
pub(super) struct Browser {
    client: Client,
    host: String,
    pub(super) user: String,
    /// What it sends as `Cookie`.
    pub(super) cookie: Option<String>,
    /// What else it sends.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

impl Page {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The JSON of an answer with this status, which the body repeats.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Value {
        let body = self.json();
        assert_eq!(self.status, status, "{body}");
        assert_eq!(body["httpStatusCode"], status, "{body}");
        assert_eq!(body["errorText"].is_string(), status != 200, "{body}");
        body
    }
}

impl Browser {
    pub(super) fn new(server: &Server, user: &str) -> Self {
        let host = server.running.address.to_string();
        Self { client: client(), host, user: user.to_owned(), cookie: None, headers: Vec::new() }
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Page {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.host));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = within(path, self.client.request(request)).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Page { status: head.status, headers: head.headers, bytes }
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        self.ask("GET", path, "").await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Page {
        self.ask("POST", path, body.to_string()).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Page {
        self.ask("PUT", path, body.to_string()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Page {
        self.ask("DELETE", path, "").await
    }

    /// Logs in, and keeps the cookie; gives the reply.
    pub(super) async fn log_in(&mut self) -> Value {
        let body = json!({"userName": self.user, "password": password(&self.user)});
        let page = self.post("/api/v1/login", body).await;
        self.keep(&page);
        page.expect(200)
    }

    /// Keeps the cookie of an answer, or forgets the one it has.
    pub(super) fn keep(&mut self, page: &Page) {
        let Some(set) = page.headers.get(header::SET_COOKIE) else { return };
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
    }

    /// Opens the event stream with the cookie; it hears what is written from now on.
    pub(super) async fn listen(&self, server: &Server) -> Result<Socket, Error> {
        server.settled().await;
        let mut request = format!("ws://{}/api/v1/events", self.host).into_client_request()?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        Socket::open(&self.user, request).await
    }

    /// What was said in a room, the oldest first.
    pub(super) async fn messages(&self, room: u64) -> Vec<Value> {
        let path = format!("/api/v1/rooms/{room}/messages?cursor=-1&limit=100&direction=backward");
        self.get(&path).await.expect(200)["messages"].as_array().unwrap().clone()
    }

    /// Writes a message, and says its number.
    pub(super) async fn write(&self, room: u64, text: &str) -> u64 {
        self.post(&format!("/api/v1/rooms/{room}/messages"), json!({"content": text})).await.expect(200);
        self.messages(room).await.last().unwrap()["messageId"].as_u64().unwrap()
    }
}
