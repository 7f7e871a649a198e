//! Mail: events that wait for a listener while it has no socket.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::{Error, Timestamp};

use crate::{
    Store, Write,
    connection::built,
    item::{self, get_text, is_over, number, text},
    keys, schema,
};

/// How long an event waits, in seconds: longer than a listener without a socket lives.
const LIFETIME_SECONDS: i64 = 60;

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Where it stands among the others.
    pub order: String,
    /// It, as JSON.
    pub event: String,
}

impl Store {
    /// Keeps an event for a listener; the same order again replaces it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_mail(
        &self,
        listener: &str,
        order: &str,
        event: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = item::keyed(&keys::mail(listener, order));
        item.insert("x".into(), text(event));
        item.insert(schema::TTL.into(), number(now.plus_seconds(LIFETIME_SECONDS).seconds()));
        self.write_one(Write::put(item)).await.map(|_| ())
    }

    /// Removes events: they were sent, or are about to be.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn remove_mail(&self, listener: &str, mail: &[Mail]) -> Result<(), Error> {
        let deletes: Result<Vec<_>, _> = mail
            .iter()
            .map(|one| {
                let key = item::keyed(&keys::mail(listener, &one.order));
                let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            })
            .collect();
        self.write_batch(deletes.map_err(built)?).await
    }

    /// All that waits for a listener, in order. It waits until it is removed: once it was sent, so that whoever dies before
    /// leaves it to the next.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn mail(&self, listener: &str, now: Timestamp) -> Result<Vec<Mail>, Error> {
        let items = self.query_all(keys::mail_partition(listener), "", true).await?;
        let waiting = items.iter().filter(|item| !is_over(item, now));
        let mail = waiting.map(|item| {
            let order = get_text(item, schema::SORT_KEY)?.to_owned();
            Ok(Mail { order, event: get_text(item, "x")?.to_owned() })
        });
        mail.collect()
    }
}
