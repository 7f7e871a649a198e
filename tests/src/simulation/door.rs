//! The front door, as a client of each dialect knocks on it: requests in the dialect's words, answers as outcomes.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use handlers::{auth, invocation::HttpCall};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};

use super::{
    cloud::{Cloud, SERVER_SECRET, TOKEN_KEY},
    history::Outcome,
    time,
};

/// Who knocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who<'a> {
    /// A user, with a token.
    User(&'a str),
    /// The application's server, for a user.
    ServerFor(&'a str),
    /// The application's server, as Channelstream knows it.
    Signed,
}

/// An answer; none if there was none.
pub type Answer = Option<(u16, Value)>;

/// The front door.
#[derive(Debug, Clone)]
pub struct Door {
    cloud: Arc<Cloud>,
    tokens: BTreeMap<String, String>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Knock<'a> {
    /// The function.
    pub function: &'static str,
    /// The path's parameters.
    pub path: Vec<(&'static str, &'a str)>,
    /// The query.
    pub query: Vec<(&'static str, &'a str)>,
    /// The body.
    pub body: Value,
    /// Its idempotency key.
    pub key: Option<&'a str>,
}

impl<'a> Knock<'a> {
    /// A request of a function.
    #[must_use]
    pub fn new(function: &'static str, path: Vec<(&'static str, &'a str)>, body: Value) -> Self {
        Self { function, path, query: Vec::new(), body, key: None }
    }
}

impl Door {
    /// The door, for these users.
    ///
    /// # Errors
    /// When a token cannot be made.
    pub fn new(cloud: Arc<Cloud>, users: &[String]) -> Result<Self, String> {
        let exp = time::now().plus_seconds(1_000_000).seconds();
        let token = |user: &String| {
            let claims = auth::Claims { sub: user.clone(), exp, admin: false };
            let token = auth::mint(TOKEN_KEY, &claims).map_err(|error| error.to_string())?;
            Ok((user.clone(), token))
        };
        Ok(Self { cloud, tokens: users.iter().map(token).collect::<Result<_, String>>()? })
    }

    /// What is behind it.
    #[must_use]
    pub const fn cloud(&self) -> &Arc<Cloud> {
        &self.cloud
    }

    /// The user's token.
    #[must_use]
    pub fn token(&self, user: &str) -> String {
        self.tokens.get(user).cloned().unwrap_or_default()
    }

    /// Knocks.
    pub async fn knock(&self, who: Who<'_>, knock: Knock<'_>) -> Answer {
        let mut call = HttpCall { body: knock.body.to_string().into(), ..HttpCall::default() };
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        call.parameters = knock.path.into_iter().map(owned).collect();
        call.query = knock.query.into_iter().map(owned).collect();
        let mut header = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                call.headers.insert(name, value);
            }
        };
        match who {
            Who::User(user) => header(AUTHORIZATION, &format!("Bearer {}", self.token(user))),
            Who::ServerFor(user) => {
                header(AUTHORIZATION, &format!("Basic {}", STANDARD.encode(SERVER_SECRET)));
                header(HeaderName::from_static("user-id"), user);
            }
            Who::Signed => {
                let signed =
                    dialects::channelstream::signature::sign("channelstream", SERVER_SECRET, time::now());
                header(HeaderName::from_static("x-channelstream-secret"), &signed);
            }
        }
        if let Some(key) = knock.key {
            header(HeaderName::from_static("idempotency-key"), key);
        }
        let reply = self.cloud.http(knock.function, call).await?;
        Some((reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap_or_default()))
    }
}

/// What an answer says became of a request. `message` is where the new message's id stands in it.
#[must_use]
pub fn outcome(answer: &Answer, message: Option<&str>) -> Outcome {
    let Some((status, body)) = answer else { return Outcome::Unknown };
    match (*status, body.get("result").and_then(Value::as_str)) {
        // An nkchat command says it in the body.
        (200, Some("error")) => {
            let code = body.pointer("/data/code").and_then(Value::as_str);
            if matches!(code, Some("internal_error" | "timeout" | "busy" | "service_not_available")) {
                Outcome::Unknown
            } else {
                Outcome::Refused(400)
            }
        }
        (200..300, _) => {
            let id = message.and_then(|path| body.pointer(path)).and_then(Value::as_str);
            Outcome::Done { message: id.map(str::to_owned), read: None }
        }
        // Under way, or later: nobody knows.
        (409 | 429 | 500.., _) => Outcome::Unknown,
        (status, _) => Outcome::Refused(status),
    }
}

/// The messages of a page of the channels', oldest first: their ids, and what they say.
#[must_use]
pub fn listed(body: &Value) -> Vec<(String, String)> {
    let messages = body.get("data").and_then(Value::as_array).into_iter().flatten();
    let text = |message: &Value, name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut shown: Vec<(String, String)> = messages
        .filter_map(|message| {
            Some((text(message, "message_id")?, text(message, "content").unwrap_or_default()))
        })
        .collect();
    shown.reverse();
    shown
}

/// A selector of all that happens in conversations.
#[must_use]
pub fn everything_said() -> Value {
    json!({"class": "core", "subclass": "event", "cmd": "subscribe", "tid": 1,
        "data": {"class": "chat", "subclass": "conversation"}})
}
