//! How far a trigger has delivered, remembered across restarts.
//!
//! In the embedded database it is an item beside the table, so that a copy of the file is complete and trimming
//! goes with it. For a remote table it is a small file, written to the side and renamed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::dynamodb::embedded::Embedded;

/// Stream, then shard, then sequence number.
type Positions = BTreeMap<String, BTreeMap<String, String>>;

/// Where a trigger's positions are kept.
#[derive(Debug)]
pub(super) enum Checkpoints {
    /// In the embedded database.
    Embedded(Arc<Embedded>, &'static str),
    /// In a file.
    File(PathBuf),
    /// Nowhere: the oldest record is the start.
    Nowhere,
}

impl Checkpoints {
    pub(super) fn embedded(embedded: Arc<Embedded>, trigger: &'static str) -> Self {
        Self::Embedded(embedded, trigger)
    }

    pub(super) fn folder(folder: Option<&Path>, trigger: &str) -> Self {
        folder.map_or(Self::Nowhere, |folder| Self::File(folder.join(format!("stream-{trigger}.json"))))
    }

    /// What was remembered of a shard.
    pub(super) fn position(&self, arn: &str, shard: &str) -> Option<String> {
        match self {
            // One stream, one shard. Read once, at the start.
            Self::Embedded(embedded, trigger) => match embedded.position(trigger) {
                Ok(position) => position,
                Err(error) => {
                    tracing::error!(%error, trigger, "the position in the stream is not known");
                    None
                }
            },
            Self::File(path) => {
                let text = std::fs::read(path).ok()?;
                let positions: Positions = serde_json::from_slice(&text).ok()?;
                positions.get(arn)?.get(shard).cloned()
            }
            Self::Nowhere => None,
        }
    }

    /// Remembers the positions. What cannot be remembered is delivered again after a restart, and logged.
    pub(super) async fn save(&self, (arn, shards): (String, BTreeMap<String, String>)) {
        let saving: Box<dyn FnOnce() -> Result<(), String> + Send> = match self {
            Self::Embedded(embedded, trigger) => {
                let (embedded, trigger) = (Arc::clone(embedded), *trigger);
                let Some(position) = shards.into_values().next() else { return };
                Box::new(move || embedded.remember(trigger, &position).map_err(|error| error.to_string()))
            }
            Self::File(path) => {
                let path = path.clone();
                let positions = Positions::from([(arn, shards)]);
                Box::new(move || write(&path, &positions).map_err(|error| error.to_string()))
            }
            Self::Nowhere => return,
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(saving).await {
            tracing::error!(error, "the position in the stream was not remembered");
        }
    }
}

fn write(path: &Path, positions: &Positions) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let aside = path.with_extension("json.new");
    std::fs::write(&aside, serde_json::to_vec(positions)?)?;
    std::fs::rename(aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_remembers_the_positions_of_its_stream_only() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::folder(Some(&folder.path().join("new")), "fan-out");
        assert_eq!(checkpoints.position("arn", "shard"), None);
        let shards = BTreeMap::from([("shard".to_owned(), "7".to_owned())]);
        checkpoints.save(("arn".to_owned(), shards)).await;
        assert_eq!(checkpoints.position("arn", "shard").as_deref(), Some("7"));
        assert_eq!(checkpoints.position("another", "shard"), None);
    }
}
