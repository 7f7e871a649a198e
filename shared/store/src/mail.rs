//! Mail: events that wait for a listener while it has no socket.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::{Error, Timestamp};

use crate::{
    Store, Write,
    connection::built,
    item::{self, get_text, is_over, number, text},
    keys, schema,
    write::Written,
};

/// How long an event waits, in seconds: longer than a listener without a socket lives.
const LIFETIME_SECONDS: i64 = 60;

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

    /// Takes one event back. Says whether it still waited.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn take_back_mail(&self, listener: &str, order: &str) -> Result<bool, Error> {
        let delete = Write::delete(keys::mail(listener, order)).when("attribute_exists(pk)");
        Ok(matches!(self.write_one(delete).await?, Written::Done))
    }

    /// Takes all that waits for a listener, in order.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn take_mail(&self, listener: &str, now: Timestamp) -> Result<Vec<String>, Error> {
        let items = self.query_all(keys::mail_partition(listener), "", true).await?;
        let mut events = Vec::with_capacity(items.len());
        let mut deletes = Vec::with_capacity(items.len());
        for item in &items {
            let key = keys::mail(listener, get_text(item, schema::SORT_KEY)?);
            let delete = DeleteRequest::builder().set_key(Some(item::keyed(&key))).build().map_err(built)?;
            deletes.push(WriteRequest::builder().delete_request(delete).build());
            if !is_over(item, now) {
                events.push(get_text(item, "x")?.to_owned());
            }
        }
        self.write_batch(deletes).await?;
        Ok(events)
    }
}
