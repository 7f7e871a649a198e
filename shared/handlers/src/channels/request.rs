//! A request of this dialect's REST: who calls, its parts, checked; and what a repeated POST gets.

use std::{future::Future, sync::Arc};

use dialects::channels::{channel::Page, error};
use domain::{ConversationId, Error, MessageId, UserId};
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use store::idempotency::Claim;

use crate::{
    auth::{self, Caller},
    context::Context,
    endpoint::{Handling, answer_http},
    invocation::{HttpCall, HttpReply, Invocation},
    json,
};

/// The most results of a page, and how many there are if the request does not say.
const MOST_RESULTS: usize = 100;
const RESULTS: usize = 50;
/// Bytes of an idempotency key.
const KEY_BYTES: usize = 255;

/// A request, with who sends it.
#[derive(Debug)]
pub struct Request {
    /// Who sends it.
    pub caller: Caller,
    /// What ids are minted from where a repetition must mint the same; only with an idempotency key.
    pub seed: Option<String>,
    call: HttpCall,
}

/// Answers a request of somebody who must prove who it is.
pub fn answer<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Request) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    answer_http(invocation, refuse, move |call| serve(cx, call, handle))
}

async fn serve<F, A>(cx: Arc<Context>, call: HttpCall, handle: F) -> Result<HttpReply, Error>
where
    F: FnOnce(Arc<Context>, Request) -> A + Send,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    let caller = auth::caller(&cx, &call.headers).await?;
    let caller = caller.ok_or(Error::Unauthenticated("An Authorization header is required."))?;
    let request = Request { caller, seed: None, call };
    match request.idempotency_key()? {
        Some(key) => once(cx, request, &key, handle).await,
        None => handle(cx, request).await,
    }
}

/// Does a request of an idempotency key once: a repetition gets the first answer. What was refused is not kept, and who
/// mends it may use the key again.
async fn once<F, A>(cx: Arc<Context>, mut request: Request, key: &str, handle: F) -> Result<HttpReply, Error>
where
    F: FnOnce(Arc<Context>, Request) -> A + Send,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    let whose = request.whose_key();
    let (seed, first) = match cx.store.claim(&whose, key, &request.fingerprint(), cx.clock.now()).await? {
        Claim::Do { seed, first } => (seed, first),
        Claim::Done { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return Ok(if body.is_empty() {
                HttpReply::empty(status)
            } else {
                HttpReply::json(status, body.into_bytes())
            });
        }
        Claim::UnderWay => {
            return Err(Error::Conflict("The first request with this Idempotency-Key is still under way."));
        }
        Claim::Different => {
            return Err(Error::Conflict("This Idempotency-Key was used for another request."));
        }
    };
    request.seed = Some(seed.clone());
    let answer = handle(Arc::clone(&cx), request).await;
    match &answer {
        Ok(reply) => {
            let body = String::from_utf8_lossy(&reply.body);
            let settled = cx.store.settle(&whose, key, &seed, (reply.status.as_u16(), &body)).await;
            if let Err(error) = settled {
                // It has been done: a repetition will do it again from the same seed.
                tracing::warn!(%error, "the answer to an idempotency key is not kept");
            }
        }
        Err(error) => {
            let unused = first && is_refusal(error);
            cx.store.put_back(&whose, key, &seed, unused).await?;
        }
    }
    answer
}

/// Whether nothing was done, and nothing is under way.
const fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid { .. }
            | Error::Unauthenticated(_)
            | Error::Forbidden(_)
            | Error::NotFound(_)
            | Error::TooLarge { .. }
    )
}

/// The reply to a request that failed.
#[must_use]
pub fn refuse(error: &Error) -> HttpReply {
    let (status, body) = error::problem(error);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reply = HttpReply::json(status, body)
        .with(header::CONTENT_TYPE, HeaderValue::from_static(error::PROBLEM_JSON));
    match error {
        Error::Unauthenticated(_) => {
            reply.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Basic"))
        }
        Error::Busy => reply.with(header::RETRY_AFTER, HeaderValue::from_static("1")),
        _ => reply,
    }
}

/// A reply with a JSON body.
///
/// # Errors
/// [`Error::Internal`] if it is no JSON.
pub fn reply<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Result<HttpReply, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    Ok(HttpReply::json(status, body))
}

/// 204, and nothing else.
pub fn no_content() -> Result<HttpReply, Error> {
    Ok(HttpReply::empty(StatusCode::NO_CONTENT))
}

/// A page of a list that is all there already, newest first: `place` is what the order is by, and names where
/// the next page begins.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is none.
pub fn page<T>(
    request: &Request,
    mut all: Vec<T>,
    place: impl Fn(&T) -> (u64, String),
) -> Result<Page<T>, Error> {
    let (limit, cursor) = (request.limit()?, request.cursor()?);
    all.sort_by_cached_key(|one| std::cmp::Reverse(place(one)));
    all.retain(|one| cursor.as_ref().is_none_or(|cursor| place(one) < *cursor));
    let more = all.len() > limit;
    all.truncate(limit);
    let last = all.last().filter(|_| more);
    let next_cursor = last.map(|last| {
        let (number, id) = place(last);
        cursor_of(number, &id)
    });
    Ok(Page { data: all, next_cursor })
}

/// A cursor: what stands after a place. Its form is nobody's business.
#[must_use]
pub fn cursor_of(number: u64, id: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{number}.{id}"))
}

impl Request {
    /// The conversation that the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn channel(&self) -> Result<ConversationId, Error> {
        self.call.conversation("channel_id")
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

    /// The JSON body; `{}` if there is none.
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

    /// `limit`: how many results are wanted, 1 to 100.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no such number.
    pub fn limit(&self) -> Result<usize, Error> {
        let Some(text) = self.query("limit") else { return Ok(RESULTS) };
        let number = text.parse().ok().filter(|number| (1..=MOST_RESULTS).contains(number));
        number.ok_or_else(|| Error::invalid("limit", format!("must be a number from 1 to {MOST_RESULTS}")))
    }

    /// `cursor`: where the page begins.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what [`cursor_of`] did not make.
    pub fn cursor(&self) -> Result<Option<(u64, String)>, Error> {
        use base64::Engine as _;
        let Some(text) = self.query("cursor") else { return Ok(None) };
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok();
        let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = plain.as_deref().and_then(|plain| plain.split_once('.'));
        let place = parts.and_then(|(number, id)| Some((number.parse().ok()?, id.to_owned())));
        place.map(Some).ok_or_else(|| Error::invalid("cursor", "is none that a list gave"))
    }

    /// The idempotency key of a POST.
    fn idempotency_key(&self) -> Result<Option<String>, Error> {
        let Some(value) =
            self.call.headers.get("idempotency-key").filter(|_| self.call.method == Method::POST)
        else {
            return Ok(None);
        };
        let key = value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= KEY_BYTES);
        let key = key.ok_or_else(|| {
            Error::invalid(
                "Idempotency-Key",
                format!("must have 1 to {KEY_BYTES} printable ASCII characters"),
            )
        })?;
        Ok(Some(key.to_owned()))
    }

    /// Whose key it is: no two callers share one.
    fn whose_key(&self) -> String {
        let kind = if self.caller.server { "server" } else { "user" };
        let user = self.caller.user.as_ref().map_or("", |user| user.as_str());
        format!("{kind}:{user}")
    }

    /// What the request asks for, in short: FNV-1a, 128 bits, of method, path and body. A caller who makes two
    /// requests collide is told that the second was done.
    fn fingerprint(&self) -> String {
        const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        let parts =
            [self.call.method.as_str().as_bytes(), b" ", self.call.path.as_bytes(), b" ", &self.call.body];
        let bytes = parts.into_iter().flatten();
        let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
        format!("{hash:032x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &[(&str, &str)]) -> Request {
        let query = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let caller = Caller { user: None, powerful: true, server: true };
        Request { caller, seed: None, call: HttpCall { query, ..HttpCall::default() } }
    }

    #[test]
    fn pages_are_newest_first_and_lose_nothing() {
        let all: Vec<u64> = (1..=7).collect();
        let place = |one: &u64| (*one / 2, one.to_string());
        let mut cursor: Option<String> = None;
        let mut seen = Vec::new();
        loop {
            let mut query = vec![("limit", "3")];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = page(&request(&query), all.clone(), place).unwrap();
            seen.extend(page.data);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for wrong in ["0", "101", "-1", "x", ""] {
            assert!(request(&[("limit", wrong)]).limit().is_err(), "{wrong}");
        }
        for wrong in ["", "!", "Zm9v", "LmE"] {
            assert!(request(&[("cursor", wrong)]).cursor().is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_body_is_another_request() {
        let with = |path: &str, body: &'static str| {
            let mut request = request(&[]);
            request.call.path = path.to_owned();
            request.call.body = bytes::Bytes::from_static(body.as_bytes());
            request.fingerprint()
        };
        assert_eq!(with("/channels", "{}"), with("/channels", "{}"));
        assert_ne!(with("/channels", "{}"), with("/channels", "{ }"));
        assert_ne!(with("/channels/a", "{}"), with("/channels/b", "{}"));
    }
}
