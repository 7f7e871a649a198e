//! Reads the table's stream, shard by shard, a parent before its children.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_dynamodbstreams::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::{get_records::GetRecordsError, get_shard_iterator::GetShardIteratorError},
    types::{Shard, ShardIteratorType},
};

use tokio::time::Instant;

use super::record::{Pending, pending};

/// How often the list of shards is read again; besides, whenever one has come to its end.
const REFRESH: Duration = Duration::from_secs(60);
/// Records per read. DynamoDB would give 1,000, but no more than 1 MB; the embedded one does not count bytes, and
/// 200 of the largest messages are 40 MB already.
const READ_LIMIT: i32 = 200;
/// Bytes of a read that may have ended for its size: half of DynamoDB's limit.
const LARGE: i64 = 500_000;

/// Why a stream was not read; it is tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ReadError(String);

fn failed(error: impl std::error::Error) -> ReadError {
    ReadError(DisplayErrorContext(error).to_string())
}

/// What a read brought.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The records, oldest first.
    pub(super) records: Vec<Pending>,
    /// Whether they are all that had been written when they were read.
    pub(super) all: bool,
}

/// The stream's shards, and how far each was read and delivered.
#[derive(Debug)]
pub(super) struct Shards {
    client: Client,
    table: String,
    arn: String,
    refreshed: Option<Instant>,
    shards: BTreeMap<String, Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    parent: Option<String>,
    /// What was delivered last.
    delivered: Option<String>,
    /// Where to read on; none: to be asked for.
    iterator: Option<String>,
    /// It is closed, and read to its end.
    finished: bool,
}

impl Shards {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table, arn: String::new(), refreshed: None, shards: BTreeMap::new() }
    }

    /// Whether the list of shards should be read again.
    pub(super) fn stale(&self) -> bool {
        self.refreshed.is_none_or(|at| at.elapsed() > REFRESH)
    }

    /// Reads the list of shards. `known` remembers where a shard that is new here was left.
    pub(super) async fn refresh(
        &mut self,
        mut known: impl FnMut(&str, &str) -> Option<String>,
    ) -> Result<(), ReadError> {
        let streams = self.client.list_streams().table_name(&self.table).send().await.map_err(failed)?;
        // A table that was made anew has a new stream; its label is a time, so the greatest is the newest.
        let newest = streams.streams().iter().max_by_key(|stream| stream.stream_label());
        let arn = newest.and_then(|stream| stream.stream_arn());
        let arn = arn.ok_or_else(|| ReadError("the table has no stream".to_owned()))?;
        if arn != self.arn {
            arn.clone_into(&mut self.arn);
            self.shards.clear();
        }
        let listed = self.list().await?;
        let names: BTreeSet<_> = listed.iter().filter_map(|shard| shard.shard_id.clone()).collect();
        // A shard that is gone was older than a day.
        self.shards.retain(|name, _| names.contains(name));
        for shard in listed {
            let Some(name) = shard.shard_id else { continue };
            let arn = &self.arn;
            self.shards.entry(name).or_insert_with_key(|name| Progress {
                parent: shard.parent_shard_id,
                delivered: known(arn, name),
                ..Progress::default()
            });
        }
        self.refreshed = Some(Instant::now());
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Shard>, ReadError> {
        let mut shards = Vec::new();
        let mut start = None;
        loop {
            let page =
                self.client.describe_stream().stream_arn(&self.arn).set_exclusive_start_shard_id(start);
            let page = page.send().await.map_err(failed)?.stream_description;
            let Some(page) = page else { return Ok(shards) };
            shards.extend(page.shards.unwrap_or_default());
            start = page.last_evaluated_shard_id;
            if start.is_none() {
                return Ok(shards);
            }
        }
    }

    /// The shards that may be read: those whose parent is read to its end, or gone.
    pub(super) fn ready(&self) -> Vec<String> {
        let waits = |progress: &Progress| {
            let parent = progress.parent.as_ref().and_then(|parent| self.shards.get(parent));
            parent.is_some_and(|parent| !parent.finished)
        };
        let ready = self.shards.iter().filter(|(_, progress)| !progress.finished && !waits(progress));
        ready.map(|(name, _)| name.clone()).collect()
    }

    /// Reads on in a shard. What is returned has to be delivered and then told to [`Self::done_up_to`].
    pub(super) async fn read(&mut self, shard: &str) -> Result<Read, ReadError> {
        let Some(progress) = self.shards.get(shard) else { return Ok(Read::default()) };
        let iterator = match &progress.iterator {
            Some(iterator) => iterator.clone(),
            None => self.iterator(shard, progress.delivered.clone()).await?,
        };
        let mut answer = self.client.get_records().shard_iterator(iterator).limit(READ_LIMIT).send().await;
        if let Err(SdkError::ServiceError(error)) = &answer
            && matches!(error.err(), GetRecordsError::ExpiredIteratorException(_))
        {
            // After a long pause, a machine's sleep for one.
            let delivered = self.shards.get(shard).and_then(|progress| progress.delivered.clone());
            let iterator = self.iterator(shard, delivered).await?;
            answer = self.client.get_records().shard_iterator(iterator).limit(READ_LIMIT).send().await;
        }
        let Some(progress) = self.shards.get_mut(shard) else { return Ok(Read::default()) };
        match answer {
            Ok(answer) => {
                // An end is a missing iterator and nothing else: the embedded stream's open shard tells an
                // ending sequence number too.
                progress.finished = answer.next_shard_iterator.is_none();
                progress.iterator = answer.next_shard_iterator;
                if progress.finished {
                    self.refreshed = None;
                }
                let records = answer.records.unwrap_or_default();
                let sizes = records.iter().filter_map(|record| record.dynamodb()?.size_bytes());
                let short = i32::try_from(records.len()).is_ok_and(|count| count < READ_LIMIT)
                    && sizes.sum::<i64>() < LARGE;
                // What comes after a closed shard is in another.
                let all = short && !progress.finished;
                Ok(Read { records: records.into_iter().filter_map(pending).collect(), all })
            }
            Err(error) => {
                // Whatever it was, the next read starts behind what was delivered.
                progress.iterator = None;
                match error.as_service_error() {
                    Some(GetRecordsError::TrimmedDataAccessException(_)) => {
                        tracing::error!(shard, "records were trimmed before they could be delivered");
                        progress.delivered = None;
                    }
                    Some(GetRecordsError::ResourceNotFoundException(_)) => self.refreshed = None,
                    _ => {}
                }
                Err(failed(error))
            }
        }
    }

    async fn iterator(&mut self, shard: &str, after: Option<String>) -> Result<String, ReadError> {
        let ask = self.client.get_shard_iterator().stream_arn(&self.arn).shard_id(shard);
        let ask = match after {
            Some(after) => {
                ask.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).sequence_number(after)
            }
            None => ask.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let answer = ask.send().await;
        if let Err(SdkError::ServiceError(error)) = &answer {
            match error.err() {
                GetShardIteratorError::TrimmedDataAccessException(_) => {
                    if let Some(progress) = self.shards.get_mut(shard) {
                        progress.delivered = None;
                    }
                }
                GetShardIteratorError::ResourceNotFoundException(_) => self.refreshed = None,
                _ => {}
            }
        }
        let iterator = answer.map_err(failed)?.shard_iterator;
        iterator.ok_or_else(|| ReadError("no iterator was given".to_owned()))
    }

    /// Everything in the shard up to this record has been disposed of.
    pub(super) fn done_up_to(&mut self, shard: &str, sequence_number: String) {
        if let Some(progress) = self.shards.get_mut(shard) {
            progress.delivered = Some(sequence_number);
        }
    }

    /// The stream, and what was delivered last of each shard.
    pub(super) fn positions(&self) -> (String, BTreeMap<String, String>) {
        let shards = self.shards.iter();
        let positions =
            shards.filter_map(|(name, progress)| Some((name.clone(), progress.delivered.clone()?)));
        (self.arn.clone(), positions.collect())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodbstreams::config::BehaviorVersion;

    use super::*;

    #[test]
    fn a_child_waits_for_its_parent_and_an_orphan_for_nobody() {
        let config =
            aws_sdk_dynamodbstreams::Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let mut shards = Shards::new(Client::from_conf(config), "table".to_owned());
        let child = |parent: &str| Progress { parent: Some(parent.to_owned()), ..Progress::default() };
        shards.shards.insert("parent".to_owned(), Progress::default());
        shards.shards.insert("child".to_owned(), child("parent"));
        shards.shards.insert("orphan".to_owned(), child("gone"));
        assert_eq!(shards.ready(), ["orphan", "parent"]);
        shards.shards.get_mut("parent").unwrap().finished = true;
        assert_eq!(shards.ready(), ["child", "orphan"]);
    }
}
