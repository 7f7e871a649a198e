//! One process of a function: started, handed one call after another, killed when it is too slow.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::invoke::InvokeError;

/// A call that waits for its function.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline: SystemTime,
    answer: oneshot::Sender<Result<Bytes, Bytes>>,
}

/// The call that a process is working on.
type Current = Option<(String, oneshot::Sender<Result<Bytes, Bytes>>)>;

/// The Runtime API's side of a process: where it asks for its next call, and answers it.
#[derive(Debug)]
pub(super) struct Desk {
    calls: tokio::sync::Mutex<mpsc::Receiver<Call>>,
    current: Mutex<Current>,
}

impl Desk {
    /// Waits for the next call; none when the instance is gone.
    pub(super) async fn next(&self) -> Option<(String, Bytes, SystemTime)> {
        let call = self.calls.lock().await.recv().await?;
        let told = (call.request_id.clone(), call.payload, call.deadline);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((call.request_id, call.answer));
        Some(told)
    }

    /// Takes the answer to a call, or its failure; says whether that is the call that is worked on.
    pub(super) fn answer(&self, request_id: &str, answer: Result<Bytes, Bytes>) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.take() {
            Some((id, sender)) if id == request_id => sender.send(answer).is_ok(),
            other => {
                *current = other;
                false
            }
        }
    }
}

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    child: Child,
    calls: mpsc::Sender<Call>,
}

impl Instance {
    /// Starts the program; says the instance, and the desk that is to serve it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        id: String,
        program: &Path,
        environment: Vec<(String, String)>,
    ) -> std::io::Result<(Self, Arc<Desk>)> {
        let child = Command::new(program)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            // Its log goes where this program's goes, whose standard output is for others to read.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()?;
        let (calls, waiting) = mpsc::channel(1);
        let desk = Desk { calls: tokio::sync::Mutex::new(waiting), current: Mutex::new(None) };
        Ok((Self { id, child, calls }, Arc::new(desk)))
    }

    /// Hands a call over and waits for its answer. After an error the process is not to be used any more.
    ///
    /// # Errors
    /// When it ends, fails, or takes longer than `limit`. A failure that the function itself tells leaves it
    /// usable, and is in the inner result.
    pub(super) async fn call(
        &mut self,
        request_id: String,
        payload: Bytes,
        limit: Duration,
    ) -> Result<Result<Bytes, Bytes>, InvokeError> {
        let given_up = Instant::now() + limit;
        let (answer, answered) = oneshot::channel();
        let call = Call { request_id, payload, deadline: SystemTime::now() + limit, answer };
        self.calls.send(call).await.map_err(|_gone| InvokeError::Failed)?;
        tokio::select! {
            biased;
            answered = answered => answered.map_err(|_dropped| InvokeError::Failed),
            status = self.child.wait() => {
                tracing::error!(instance = self.id, status = ?status.ok(), "a function's process ended");
                Err(InvokeError::Failed)
            }
            () = tokio::time::sleep_until(given_up) => Err(InvokeError::TimedOut),
        }
    }

    /// Ends the process, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(instance = self.id, %error, "a function's process was not ended");
        }
    }

    /// Whether the process has ended on its own.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}
