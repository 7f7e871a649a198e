//! Where the bytes of attachments are kept: not in the table.
//!
//! A file is named by the message that it belongs to and an id of its own ([`name`]): whoever writes another
//! file's id into another message names a file that is not there.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use domain::{Error, Place};
use uuid::Uuid;

mod bucket;
mod folder;

pub use bucket::Bucket;

/// The most bytes of one file: it must fit Lambda's 6 MB call, as base64, with the form around it.
pub const FILE_BYTES: usize = 4_000_000;

/// Where files are kept.
#[derive(Clone)]
pub enum Attachments {
    /// In a folder, which is made when there is something to keep.
    Folder(PathBuf),
    /// In the process, and gone with it.
    Memory(Arc<Mutex<BTreeMap<String, Bytes>>>),
    /// In a bucket of S3.
    Bucket(Bucket),
    /// Nowhere: nothing can be attached.
    Nowhere,
}

impl fmt::Debug for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => f.debug_tuple("Attachments::Folder").field(path).finish(),
            Self::Memory(_) => f.write_str("Attachments::Memory"),
            Self::Bucket(bucket) => f.debug_tuple("Attachments::Bucket").field(bucket).finish(),
            Self::Nowhere => f.write_str("Attachments::Nowhere"),
        }
    }
}

/// A file that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum File {
    /// Here it is.
    Bytes(Bytes),
    /// It is at this URL, for some minutes.
    At(String),
}

/// What a message's file is called; none if that is no file's id.
#[must_use]
pub fn name(message: Place, id: &str) -> Option<String> {
    let id = Uuid::try_parse(id).ok()?;
    Some(format!("{}-{}-{id}", message.number, message.seq))
}

impl Attachments {
    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Keeps a file.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where none are kept, [`Error::Internal`].
    pub async fn put(&self, name: String, bytes: Bytes) -> Result<(), Error> {
        match self {
            Self::Nowhere => Err(Error::Forbidden("Nothing can be attached here.")),
            Self::Memory(files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).insert(name, bytes);
                Ok(())
            }
            Self::Folder(folder) => folder::put(folder, name, bytes).await,
            Self::Bucket(bucket) => bucket.put(&name, bytes).await,
        }
    }

    /// A file, which is answered with this type and this disposition; none if there is none.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn get(
        &self,
        name: String,
        content_type: &str,
        disposition: &str,
    ) -> Result<Option<File>, Error> {
        let bytes = match self {
            Self::Nowhere => None,
            Self::Memory(files) => files.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned(),
            Self::Folder(folder) => folder::get(folder, name).await?,
            Self::Bucket(bucket) => {
                return bucket.url_of(&name, content_type, disposition).map(|url| Some(File::At(url)));
            }
        };
        Ok(bytes.map(File::Bytes))
    }

    /// Throws a file away. One that is not there is no error.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn remove(&self, name: String) -> Result<(), Error> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Memory(files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
                Ok(())
            }
            Self::Folder(folder) => folder::remove(folder, name).await,
            Self::Bucket(bucket) => bucket.remove(&name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::{Number, Seq};

    use super::*;

    #[test]
    fn only_an_id_names_a_file() {
        let place = Place { number: Number(7), seq: Seq(9) };
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(name(place, id), Some(format!("7-9-{id}")));
        for wrong in ["", "../x", "/etc/passwd", "7-9"] {
            assert_eq!(name(place, wrong), None);
        }
    }

    #[tokio::test]
    async fn what_is_put_is_there_until_it_is_removed() {
        let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
        for files in [Attachments::memory(), Attachments::Folder(folder.clone())] {
            files.remove("a".into()).await.unwrap();
            assert_eq!(files.get("a".into(), "", "").await.unwrap(), None);
            files.put("a".into(), Bytes::from_static(b"x")).await.unwrap();
            assert_eq!(
                files.get("a".into(), "", "").await.unwrap(),
                Some(File::Bytes(Bytes::from_static(b"x")))
            );
            files.remove("a".into()).await.unwrap();
            assert_eq!(files.get("a".into(), "", "").await.unwrap(), None);
        }
        fs::remove_dir_all(folder).unwrap();
        assert!(Attachments::Nowhere.put("a".into(), Bytes::new()).await.is_err());
    }
}
