//! Mail: events that wait for a listener while it has no socket.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::{Error, Number, Seq, Timestamp, Topic};

use crate::{
    Item, Store, Write,
    connection::built,
    item::{self, find_number, get_number, get_text, is_over, number, text},
    keys, schema,
};

/// How long an event waits, in seconds: longer than a listener without a socket lives, and than the stream is likely
/// to be late.
pub(crate) const LIFETIME_SECONDS: i64 = 600;

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its name: what is kept again under the same one replaces it.
    pub order: String,
    /// What it was heard by.
    pub topic: Topic,
    /// The number of the log.
    pub number: Number,
    /// The entry of the log that it is of, if it is of one.
    pub seq: Option<Seq>,
    /// When it was. Of two entries of a log the later one is never the earlier one here, whatever their clocks said.
    pub at: Timestamp,
    /// It, as JSON.
    pub event: String,
}

impl Mail {
    /// The name of what an entry tells of.
    #[must_use]
    pub fn of_entry(number: Number, seq: Seq) -> String {
        format!("E{:012}#{:012}", number.0, seq.0)
    }

    /// The name of what a signal tells of.
    #[must_use]
    pub fn of_signal(at: Timestamp, id: &str) -> String {
        format!("S{:015}#{id}", at.millis())
    }
}

impl Store {
    /// Keeps an event for a listener; the same order again replaces it. What is of one log is kept in its order: that is
    /// how whoever takes it meanwhile takes nothing without what was before it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_mail(&self, listener: &str, mail: &Mail, now: Timestamp) -> Result<(), Error> {
        let mut item = to_item(listener, mail);
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
        // Backwards: an entry that is kept while this reads is not found without those before it.
        let query = self.client.query().consistent_read(true).scan_index_forward(false);
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::mail_partition(listener)));
        let items = self.every_page(query).await?;
        let waiting = items.iter().filter(|item| !is_over(item, now));
        Ok(in_order(waiting.map(from_item).collect::<Result<_, _>>()?))
    }
}

/// By when it was; of one log, by its entries' numbers. Clocks differ, the log does not.
fn in_order(mut mail: Vec<Mail>) -> Vec<Mail> {
    mail.sort_by(|one, other| one.order.cmp(&other.order));
    let mut last: Option<(Number, Timestamp)> = None;
    for one in &mut mail {
        if one.seq.is_none() {
            continue;
        }
        if let Some((log, at)) = last
            && log == one.number
        {
            one.at = one.at.max(at);
        }
        last = Some((one.number, one.at));
    }
    mail.sort_by_key(|one| one.at);
    mail
}

pub(crate) fn to_item(listener: &str, mail: &Mail) -> Item {
    let mut item = item::keyed(&keys::mail(listener, &mail.order));
    item.insert("x".into(), text(&mail.event));
    item.insert("c".into(), text(mail.topic.name()));
    item.insert("n".into(), number(mail.number));
    item.insert("t".into(), number(mail.at.millis()));
    if let Some(seq) = mail.seq {
        item.insert("q".into(), number(seq));
    }
    item
}

pub(crate) fn from_item(item: &Item) -> Result<Mail, Error> {
    let topic = get_text(item, "c")?;
    Ok(Mail {
        order: get_text(item, schema::SORT_KEY)?.to_owned(),
        topic: Topic::named(topic).ok_or_else(|| Error::Internal(format!("{topic} is no topic")))?,
        number: Number(get_number(item, "n")?),
        seq: find_number(item, "q").map(Seq),
        at: Timestamp::from_millis(get_number(item, "t")?),
        event: get_text(item, "x")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(order: String, number: u64, seq: Option<u64>, at: i64) -> Mail {
        let at = Timestamp::from_millis(at);
        let (number, seq) = (Number(number), seq.map(Seq));
        Mail { order, topic: Topic::Global, number, seq, at, event: "{}".into() }
    }

    fn entry(number: u64, seq: u64, at: i64) -> Mail {
        mail(Mail::of_entry(Number(number), Seq(seq)), number, Some(seq), at)
    }

    #[test]
    fn mail_is_in_the_order_of_its_logs_whatever_the_clocks_said() {
        let signal = mail(Mail::of_signal(Timestamp::from_millis(9), "x"), 1, None, 9);
        let mixed = vec![signal, entry(1, 11, 8), entry(1, 9, 10), entry(2, 4, 7)];
        let found = in_order(mixed);
        let found: Vec<_> =
            found.iter().map(|one| (one.number.0, one.seq.map(|seq| seq.0), one.at.millis())).collect();
        assert_eq!(found, [(2, Some(4), 7), (1, None, 9), (1, Some(9), 10), (1, Some(11), 10)]);
    }

    #[test]
    fn mail_is_read_as_it_was_written() {
        for one in [entry(1, 2, 3), mail("S".into(), 1, None, 3)] {
            assert_eq!(from_item(&to_item("bob", &one)).unwrap(), one);
        }
    }
}
