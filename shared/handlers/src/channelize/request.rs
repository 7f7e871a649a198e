//! A request of this dialect: who calls, and its parts, checked.

use std::{future::Future, sync::Arc};

use dialects::channelize::error;
use domain::{ConversationId, Error, MessageId, Timestamp, UserId};
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    auth::{self, Caller},
    context::Context,
    endpoint::{Handling, answer_http},
    invocation::{HttpCall, HttpReply, Invocation, REPLY_BYTES},
    json,
};

/// The most results of a list. More is refused, never cut.
const MOST_RESULTS: usize = 200;
/// The most results to leave out.
const MOST_SKIPPED: usize = 1_000_000;

/// A request, with who sends it.
#[derive(Debug)]
pub struct Request {
    /// Who sends it.
    pub caller: Caller,
    call: HttpCall,
}

/// Answers a request of somebody who must prove who it is.
pub fn answer<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Request) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    answer_http(invocation, refuse, move |call| async move {
        let caller = auth::caller(&cx, &call.headers).await?;
        let caller = caller.ok_or(Error::Unauthenticated("Authorization Required"))?;
        handle(cx, Request { caller, call }).await
    })
}

/// Answers a request of anybody: what it carries proves who it is, or nothing needs to.
pub fn answer_anybody<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Request) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    let nobody = Caller { user: None, powerful: false, server: false };
    answer_http(
        invocation,
        refuse,
        move |call| async move { handle(cx, Request { caller: nobody, call }).await },
    )
}

/// The reply to a request that failed.
#[must_use]
pub fn refuse(error: &Error) -> HttpReply {
    let (status, body) = error::encode(error);
    HttpReply::json(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

/// A reply with a JSON body.
///
/// # Errors
/// [`Error::Internal`] if it is no JSON.
pub fn reply<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Result<HttpReply, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    if body.len() > REPLY_BYTES {
        return Err(Error::invalid("limit", format!("gives more than {REPLY_BYTES} bytes: ask for less")));
    }
    Ok(HttpReply::json(status, body))
}

/// 204, and nothing else.
pub fn no_content() -> Result<HttpReply, Error> {
    Ok(HttpReply::empty(StatusCode::NO_CONTENT))
}

/// `{"count":n}`.
///
/// # Errors
/// [`Error::Internal`].
pub fn count(count: u64) -> Result<HttpReply, Error> {
    #[derive(Serialize)]
    struct Count {
        count: u64,
    }
    reply(StatusCode::OK, &Count { count })
}

impl Request {
    /// The request's name in logs.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.call.request_id
    }

    /// The conversation that the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn conversation(&self) -> Result<ConversationId, Error> {
        self.call.conversation("conversation_id")
    }

    /// The message that the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn message(&self) -> Result<MessageId, Error> {
        self.call.message()
    }

    /// The user that the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn named_user(&self) -> Result<UserId, Error> {
        self.call.named_user()
    }

    /// The JSON body.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::object(&self.call.body)
    }

    /// A query value; the first one, if it stands there several times.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.call.query_value(name)
    }

    /// A list in the query: `ids=a,b` or `ids[]=a&ids[]=b`; none if it is not there or empty.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let array = format!("{name}[]");
        let values = self.call.query.iter().filter(|(key, _)| key == name || *key == array);
        let items: Vec<&str> = values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect();
        (!items.is_empty()).then_some(items)
    }

    /// `true` or `false` in the query.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.query(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Error::invalid(name, "must be true or false")),
        }
    }

    /// `limit` (1 to 200) and `skip`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no such number.
    pub fn window(&self, limit: usize) -> Result<(usize, usize), Error> {
        let number = |name: &str, least: usize, most: usize, default: usize| match self.query(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| Error::invalid(name, format!("must be a number from {least} to {most}"))),
        };
        Ok((number("limit", 1, MOST_RESULTS, limit)?, number("skip", 0, MOST_SKIPPED, 0)?))
    }

    /// `sort`: `updatedAt DESC` (the default) or `updatedAt ASC`; says whether it is the latter.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub fn ascending(&self) -> Result<bool, Error> {
        match self.query("sort") {
            None | Some("updatedAt DESC") => Ok(false),
            Some("updatedAt ASC") => Ok(true),
            Some(_) => Err(Error::invalid("sort", "must be `updatedAt ASC` or `updatedAt DESC`")),
        }
    }
}

/// A date in a body: ISO 8601, or milliseconds since 1970.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct Date(pub Timestamp);

impl TryFrom<serde_json::Value> for Date {
    type Error = &'static str;

    fn try_from(value: serde_json::Value) -> Result<Self, Self::Error> {
        // Years that four digits can say.
        const YEARS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;
        let millis = match &value {
            serde_json::Value::String(text) => Timestamp::from_iso(text).map(Timestamp::millis),
            serde_json::Value::Number(number) => number.as_i64(),
            _ => None,
        };
        let millis = millis.filter(|millis| YEARS.contains(millis));
        millis.map(|millis| Self(Timestamp::from_millis(millis))).ok_or("expected an ISO 8601 date")
    }
}

/// User ids in a body.
///
/// # Errors
/// [`Error::Invalid`], naming the field.
pub fn user_ids(field: &str, ids: Vec<String>) -> Result<Vec<UserId>, Error> {
    if ids.len() > domain::limits::USERS_PER_CALL {
        return Err(Error::invalid(field, format!("has more than {} users", domain::limits::USERS_PER_CALL)));
    }
    ids.into_iter()
        .map(|id| UserId::parse(id).map_err(|_invalid| Error::invalid(field, "has an id that is none")))
        .collect()
}

/// Message ids in a body: one at least.
///
/// # Errors
/// [`Error::Invalid`], naming the field.
pub fn message_ids(ids: Option<Vec<String>>) -> Result<Vec<MessageId>, Error> {
    let field = "messageIds";
    let ids = ids.ok_or_else(|| Error::invalid(field, "is required"))?;
    if ids.is_empty() || ids.len() > domain::limits::TARGETS_PER_CALL {
        return Err(Error::invalid(
            field,
            format!("must have 1 to {} ids", domain::limits::TARGETS_PER_CALL),
        ));
    }
    ids.into_iter()
        .map(|id| MessageId::parse(id).map_err(|_invalid| Error::invalid(field, "has an id that is none")))
        .collect()
}
