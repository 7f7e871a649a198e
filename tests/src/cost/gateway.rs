//! `@connections` with nobody behind it: takes posts for any connection, so many a second, and notes the first and
//! the last.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_apigatewaymanagement::Client;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use switchboard::management;
use tokio::time::{Instant, sleep};

use super::meter::Meter;

/// Bytes that API Gateway meters as one message.
const METERED: usize = 32 * 1024;

/// The connections.
#[derive(Debug)]
pub struct Gateway {
    meter: Meter,
    answers_in: Duration,
    /// Posts a second; what comes faster is refused, but for as many at once.
    quota: f64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How much of the quota is there, and since when.
    left: Option<(f64, Instant)>,
    /// When the first and the last post were answered.
    span: Option<(Instant, Instant)>,
}

impl Gateway {
    /// Connections that take so many posts a second, each answered after a while.
    #[must_use]
    pub fn new(meter: Meter, answers_in: Duration, quota: f64) -> Arc<Self> {
        Arc::new(Self { meter, answers_in, quota, state: Mutex::default() })
    }

    /// A client for them.
    #[must_use]
    pub fn client(self: &Arc<Self>) -> Client {
        management::client_over(SharedHttpConnector::new(Connector(Arc::clone(self))))
    }

    /// When the first and the last post since the last question were answered.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).span.take()
    }

    fn admits(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (left, at) = state.left.unwrap_or((self.quota, now));
        let left = (left + now.duration_since(at).as_secs_f64() * self.quota).min(self.quota);
        state.left = Some(if left >= 1.0 { (left - 1.0, now) } else { (left, now) });
        left >= 1.0
    }

    async fn answer(&self, bytes: usize) -> u16 {
        let admitted = self.admits();
        sleep(self.answers_in).await;
        if !admitted {
            self.meter.count(|used| used.throttled += 1.0);
            return 429;
        }
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.span = Some((state.span.map_or(now, |(first, _)| first), now));
        drop(state);
        self.meter.count(|used| {
            used.posts += 1.0;
            used.metered += units(bytes);
            used.bytes += float(bytes);
        });
        200
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of messages")]
fn float(bytes: usize) -> f64 {
    bytes as f64
}

/// What API Gateway counts a message of so many bytes as.
fn units(bytes: usize) -> f64 {
    float(bytes.div_ceil(METERED).max(1))
}

#[derive(Debug)]
struct Connector(Arc<Gateway>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let gateway = Arc::clone(&self.0);
        let bytes = request.body().bytes().map_or(0, <[u8]>::len);
        HttpConnectorFuture::new(async move {
            let status = StatusCode::try_from(gateway.answer(bytes).await);
            let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::empty()))
        })
    }
}
