//! A light HTTP client, with JSON in and out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioExecutor};
use serde_json::Value;

use super::within;

pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) fn client() -> Client {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// `Basic` with the server's secret.
pub(crate) fn basic(secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(secret))
}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    headers: Vec<(String, String)>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) asked: String,
    pub(crate) status: u16,
    /// The JSON of the body; null if there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// The body, of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.body);
        self.body
    }
}

impl Api {
    pub(crate) fn new(client: Client, base: String, headers: Vec<(String, String)>) -> Self {
        Self { client, base, headers }
    }

    /// The same, with one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.try_to_ask(method, path, body).await.unwrap()
    }

    /// With a body that is what it is: JSON as it is spelled here, or none.
    pub(crate) async fn ask_raw(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.try_to_send(method, path, Some(body.into())).await.unwrap()
    }

    /// An error where there is no answer: the server is gone.
    pub(crate) async fn try_to_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        self.try_to_send(method, path, body.map(|body| body.to_string().into_bytes())).await
    }

    async fn try_to_send(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if body.is_some() && !self.headers.iter().any(|(name, _)| name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        let sent = body.unwrap_or_default();
        let asked = format!("{method} {path} {}", String::from_utf8_lossy(&sent));
        let answering = self.client.request(request.body(Full::from(sent))?);
        let response: Response<_> = within(&asked, answering).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into())
        };
        Ok(Answer { asked, status, body })
    }
}

/// What journeys do again and again.
impl Api {
    /// Sends a message; says its id.
    pub(crate) async fn send(&self, conversation: &str, text: &str) -> String {
        self.send_with(conversation, text, serde_json::json!({})).await
    }

    /// Sends a message with more keys than the text; says its id.
    pub(crate) async fn send_with(&self, conversation: &str, text: &str, more: Value) -> String {
        let mut body = serde_json::json!({"conversationId": conversation, "body": text});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let sent = self.post("/v2/messages/send", body).await.expect(201);
        sent["id"].as_str().unwrap().to_owned()
    }

    /// The newest messages of a conversation, those of the system left out.
    pub(crate) async fn messages(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/v2/conversations/{conversation}/messages?types=normal,reply,forward&limit=200");
        let listed = self.get(&path).await.expect(200);
        listed.as_array().unwrap().clone()
    }

    /// Their texts, the oldest first.
    pub(crate) async fn texts(&self, conversation: &str) -> Vec<String> {
        let messages = self.messages(conversation).await;
        let texts = messages.iter().rev().map(|one| one["body"].as_str().unwrap_or("(none)").to_owned());
        texts.collect()
    }
}
