//! Calls the function with a batch until it is disposed of: delivered, or given up.
//!
//! Lambda's rules: a partial failure is retried from its lowest record on; a failure of the whole is cut in two if
//! the mapping says so, which costs no attempt; what fails as often as the mapping allows, or is too old, is given
//! up, and the stream goes on. Nothing behind a batch is delivered before it is disposed of.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use handlers::invocation::{Invocation, Reply};

use super::{dead_letter::DeadLetters, record::Pending};
use crate::{invoke::Invoker, template::Mapping};

/// How long a function may take for a batch.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The first pause between two attempts; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Delivers batches to one function.
#[derive(Debug)]
pub(super) struct Delivery {
    mapping: Arc<Mapping>,
    invoker: Invoker,
    dead_letters: DeadLetters,
    /// Records do not age while nobody is there to deliver them.
    since: SystemTime,
}

/// What a call has come to.
enum Outcome {
    Delivered,
    /// The records before this index are delivered.
    FailedFrom(usize),
}

impl Delivery {
    pub(super) fn new(mapping: Arc<Mapping>, invoker: Invoker, dead_letters: DeadLetters) -> Self {
        Self { mapping, invoker, dead_letters, since: SystemTime::now() }
    }

    /// Returns when every record of the batch was delivered or given up.
    pub(super) async fn deliver(&self, batch: Vec<Pending>) {
        let mut parts = VecDeque::from([(batch, 0)]);
        while let Some((mut batch, attempts)) = parts.pop_front() {
            self.drop_the_old(&mut batch, attempts);
            if batch.is_empty() {
                continue;
            }
            match self.call(&batch).await {
                Outcome::Delivered => {}
                Outcome::FailedFrom(index) if index > 0 => {
                    // It got somewhere: the rest is a batch of its own.
                    parts.push_front((batch.split_off(index), 0));
                    tokio::time::sleep(FIRST_PAUSE).await;
                }
                Outcome::FailedFrom(_) if self.mapping.bisect && batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    parts.push_front((second, attempts));
                    parts.push_front((batch, attempts));
                }
                Outcome::FailedFrom(_)
                    if self.mapping.maximum_retries.is_some_and(|most| attempts >= most) =>
                {
                    self.dead_letters.give_up(&batch, "RetryAttemptsExhausted", attempts + 1);
                }
                Outcome::FailedFrom(_) => {
                    tokio::time::sleep(pause(attempts)).await;
                    parts.push_front((batch, attempts.saturating_add(1)));
                }
            }
        }
    }

    fn drop_the_old(&self, batch: &mut Vec<Pending>, attempts: u32) {
        let Some(age) = self.mapping.maximum_age else { return };
        let Some(oldest) = SystemTime::now().checked_sub(Duration::from_secs(age)) else { return };
        // Records are in order of time, so the old ones are the first.
        let young =
            batch.iter().position(|pending| pending.at.max(self.since) >= oldest).unwrap_or(batch.len());
        let rest = batch.split_off(young);
        let old = std::mem::replace(batch, rest);
        if !old.is_empty() {
            self.dead_letters.give_up(&old, "RecordAgeExceeded", attempts);
        }
    }

    async fn call(&self, batch: &[Pending]) -> Outcome {
        let records = batch.iter().map(|pending| pending.record.clone()).collect();
        let endpoint = self.mapping.endpoint;
        match self.invoker.invoke(endpoint, Invocation::Stream(records), TIMEOUT).await {
            Ok(Reply::Batch(failed)) if failed.is_empty() || !self.mapping.partial => Outcome::Delivered,
            Ok(Reply::Batch(failed)) => {
                let place = |number: &String| {
                    batch.iter().position(|pending| &pending.record.sequence_number == number)
                };
                // A number that is not in the batch makes the whole batch fail, as in Lambda.
                let places: Option<Vec<_>> = failed.iter().map(place).collect();
                let lowest = places.and_then(|places| places.into_iter().min()).unwrap_or(0);
                tracing::warn!(
                    endpoint = endpoint.name,
                    records = batch.len(),
                    lowest,
                    "a batch failed in part"
                );
                Outcome::FailedFrom(lowest)
            }
            Ok(Reply::Http(_)) => {
                tracing::error!(endpoint = endpoint.name, "a function of the stream gave an HTTP reply");
                Outcome::FailedFrom(0)
            }
            Err(_) => Outcome::FailedFrom(0),
        }
    }
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(LONGEST_PAUSE)
}
