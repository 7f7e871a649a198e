//! Files in a folder: the runner's, or a file system that functions share.

use std::{fs, io, path::Path};

use bytes::Bytes;
use domain::Error;

/// Keeps a file: whole or not at all.
pub(super) async fn put(folder: &Path, name: String, bytes: Bytes) -> Result<(), Error> {
    on_disk(folder, move |folder| {
        fs::create_dir_all(folder)?;
        let half = folder.join(format!("{name}.half"));
        fs::write(&half, bytes)?;
        fs::rename(half, folder.join(name))
    })
    .await
}

/// The bytes of a file; none if there is none.
pub(super) async fn get(folder: &Path, name: String) -> Result<Option<Bytes>, Error> {
    on_disk(folder, move |folder| unless_missing(fs::read(folder.join(name)).map(Bytes::from))).await
}

/// Throws a file away. One that is not there is no error.
pub(super) async fn remove(folder: &Path, name: String) -> Result<(), Error> {
    on_disk(folder, move |folder| unless_missing(fs::remove_file(folder.join(name)))).await.map(|_| ())
}

fn unless_missing<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Does what may wait for a disk, off the runtime's threads.
async fn on_disk<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let folder = folder.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&folder)).await;
    let done = done.map_err(|error| Error::Internal(format!("an attachment's file: {error}")))?;
    done.map_err(|error| Error::Internal(format!("an attachment's file: {error}")))
}
