//! What a trigger has given up: said in the log, and kept in a folder if there is one.
//!
//! Kept whether or not the template names a destination (`OnFailure`). As in Lambda it is the batch's place that is kept, not its records: they are in the table.

use std::{io::Write, path::PathBuf};

use serde_json::json;

use super::record::Pending;

/// Where the given-up batches of a trigger go.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: Option<PathBuf>,
    trigger: &'static str,
}

impl DeadLetters {
    /// `folder` holds `dead-letters/<trigger>.jsonl`; none: only the log.
    pub(super) fn new(folder: Option<PathBuf>, trigger: &'static str) -> Self {
        let path = folder.map(|folder| folder.join("dead-letters").join(format!("{trigger}.jsonl")));
        Self { path, trigger }
    }

    /// Gives a batch up.
    pub(super) fn give_up(&self, batch: &[Pending], why: &str, attempts: u32) {
        let sequence =
            |pending: Option<&Pending>| pending.map(|pending| pending.record.sequence_number.clone());
        let (first, last) = (sequence(batch.first()), sequence(batch.last()));
        tracing::error!(
            endpoint = self.trigger,
            why,
            attempts,
            records = batch.len(),
            first = first.as_deref().unwrap_or_default(),
            last = last.as_deref().unwrap_or_default(),
            "a batch of the stream was given up"
        );
        let Some(path) = &self.path else { return };
        let line = json!({
            "requestContext": {"functionArn": self.trigger, "condition": why, "approximateInvokeCount": attempts},
            "DDBStreamBatchInfo": {
                "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": batch.len(),
            },
        });
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            let mut file = std::fs::File::options().create(true).append(true).open(path)?;
            writeln!(file, "{line}")
        });
        if let Err(error) = written {
            tracing::error!(%error, path = %path.display(), "the dead letter was not kept");
        }
    }
}
