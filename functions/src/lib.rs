//! One Lambda binary per endpoint.
//!
//! # Layout
//! - `src/bin/<endpoint>.rs`: one statement each, `functions::serve(&…::ENDPOINT)`. Nothing is generic over the
//!   endpoint, so that a hundred binaries link in seconds: all of their code is compiled once, here.
//! - [`event`]: Lambda's JSON into an `Invocation`, a `Reply` into Lambda's JSON.
//! - [`environment`]: the function's environment into a `Context`.
//! - [`metrics`]: what a call counted into a line for CloudWatch.
//!
//! # Invariants
//! - This is the only crate that knows the Lambda runtime and the shapes of its events.
//! - Neither the runtime nor the SDK logs a request, at any level: there are credentials in it.
//! - Everything slow is done once, before the first call: root certificates are read, clients are made.
//! - An event that cannot be read is an error of that one call, which Lambda counts and (for the stream) retries;
//!   it never ends the process.
//!
//! # Where the secrets come from, and why
//! The server's secret and the token key live in one secret of AWS Secrets Manager. CloudFormation reads it when
//! it deploys (`{{resolve:secretsmanager:…}}` in `template.yaml`), once for all functions, and writes the values into
//! their environment, which Lambda keeps encrypted. So:
//! - no function may read a secret, or anything else but what its endpoint declares in `access`: a function that
//!   is taken over cannot reach the secret's other versions or other secrets of the account;
//! - a cold start makes no call and waits for nobody; neither the SSM or Secrets Manager client nor the
//!   extension's layer is in the zip.
//!
//! The price: who may read a function's configuration or Systems Manager's parameters in the account reads the
//! secrets (docs/decisions/0021 says why there are parameters), and a rotated secret arrives with the next
//! deployment (raise the parameter `SecretRevision`, which makes CloudFormation read anew).

use std::{io::Write as _, process::ExitCode, sync::Arc};

use handlers::{call::call, context::Context, endpoint::Endpoint};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

pub mod environment;
pub mod event;
pub mod metrics;

use event::{EventError, Response};
use metrics::Origin;

/// The crates whose level can be chosen.
const OURS: [&str; 5] = ["dialects", "domain", "functions", "handlers", "store"];

/// Serves one endpoint until Lambda ends the process.
///
/// It only returns when it cannot go on: the reason is in the log, and the exit code tells Lambda.
#[must_use]
pub fn serve(endpoint: &'static Endpoint) -> ExitCode {
    log_as_json();
    match run(endpoint) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(function = endpoint.name, error, "cannot serve");
            ExitCode::FAILURE
        }
    }
}

fn run(endpoint: &'static Endpoint) -> Result<(), lambda_runtime::Error> {
    let context = Arc::new(environment::context(endpoint, |name| std::env::var(name).ok())?);
    // Lambda gives a process one call at a time: more threads than one would only cost their start.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stack: Arc<str> = std::env::var(metrics::STACK).unwrap_or_else(|_| "switchboard".to_owned()).into();
    runtime.block_on(lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        answer(endpoint, Arc::clone(&context), Arc::clone(&stack), event)
    })))
}

async fn answer(
    endpoint: &'static Endpoint,
    context: Arc<Context>,
    stack: Arc<str>,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Response, EventError> {
    let (request_id, function) = (event.context.request_id.as_str(), endpoint.name);
    let answered = async {
        let invocation = event::invocation(&endpoint.trigger, event.payload.get())?;
        let reply = call(endpoint, Arc::clone(&context), invocation, request_id).await;
        event::response(&endpoint.trigger, reply)
    };
    let answered = answered.await;
    if let Err(error) = &answered {
        tracing::error_span!("call", requestId = request_id, function)
            .in_scope(|| tracing::error!(%error, "a call was not answered"));
    }
    // One call at a time: what was counted is this call's.
    let tally = context.road.metrics.take();
    let origin = Origin { stack: &stack, function, request_id };
    if let Some(line) = metrics::line(&tally, origin, context.clock.now()) {
        // As it is: CloudWatch reads nothing out of a line that has something around it.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
    answered
}

/// One JSON object a line on standard output, which CloudWatch indexes and Lambda filters by `level`.
///
/// Only our own crates can be made to say more than INFO: what the runtime and the SDK trace are whole requests,
/// with the credentials in them.
fn log_as_json() {
    let level = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_targets(OURS.map(|target| (target, level)));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .with_span_list(false)
        .with_max_level(level)
        .with_writer(std::io::stdout)
        .finish()
        .with(targets);
    // A second subscriber in one process is refused, and the first one goes on: nothing is lost.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
