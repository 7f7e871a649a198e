//! Posts what the owner's topic is told to a URL, as an HTTP subscription of SNS with raw delivery does.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use handlers::invocation::QueueMessage;
use http::{Request, Uri, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::sync::watch;

use super::queue::{Limits, Queue};

/// How often, and with which pause, an event is tried; and how many wait for a receiver that is slow, or hangs.
pub(super) const LIMITS: Limits =
    Limits { visibility: Duration::from_secs(6), receives: Some(5), length: Some(10_000) };
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Events that are posted at once.
const AT_ONCE: usize = 8;

/// Where events are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(Uri);

/// Why a URL cannot be posted to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no URL that begins with http://")]
pub struct WebhookError(String);

impl std::str::FromStr for Url {
    type Err = WebhookError;

    fn from_str(text: &str) -> Result<Self, WebhookError> {
        let wrong = || WebhookError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_not_a_uri| wrong())?;
        if uri.scheme_str() == Some("http") && uri.host().is_some() { Ok(Self(uri)) } else { Err(wrong()) }
    }
}

/// Posts until the server ends. An answer that is not 2xx, or none, brings the event again.
pub(super) async fn run(queue: Arc<Queue>, url: Url, mut closing: watch::Receiver<bool>) {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut changes = queue.changes();
    while !*closing.borrow() {
        changes.mark_unchanged();
        let received = queue.receive(AT_ONCE);
        if received.is_empty() {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                () = queue.stirred(&mut changes) => {}
            }
            continue;
        }
        let posts = received.into_iter().map(|message| post(&client, &url, message));
        let done: BTreeSet<String> =
            futures_util::future::join_all(posts).await.into_iter().flatten().collect();
        queue.delete(&done);
    }
}

/// Posts an event; its id, if it was taken.
async fn post(
    client: &Client<HttpConnector, Full<Bytes>>,
    Url(url): &Url,
    message: QueueMessage,
) -> Option<String> {
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("x-amz-sns-message-type", "Notification")
        .header("x-amz-sns-message-id", &message.id)
        .header("x-amz-sns-rawdelivery", "true")
        .body(Full::from(message.body));
    let failure = match tokio::time::timeout(TIMEOUT, client.request(request.ok()?)).await {
        Ok(Ok(answer)) if answer.status().is_success() => return Some(message.id),
        Ok(Ok(answer)) => answer.status().to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    tracing::warn!(%url, failure, "the webhook did not take an event; it comes again");
    None
}
