//! A conversation's log: append at the tail, read forwards and backwards.
//!
//! An entry's item: `t` time, `u` actor, `d` dialect, `r` nonce, `g` the entry that last changed the settings,
//! `k` kind. A message (`k` = `m`) has `b` text, `i` its id if a client chose it, and as JSON `x` content, `a`
//! audience, `s` state, each only where it is not empty: a message of 200 bytes takes about 280. Any other
//! entry has `x`, its event as JSON.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use domain::{
    Dialect, Entry, Error, Event, Message, MessageId, Number, Place, Seq, Timestamp, UserId, entry::Changed,
    ids::Nonce,
};

use crate::{
    Item, Store, Write, fault,
    item::{self, find_json, find_number, find_text, get_json, get_number, get_text, json, number, text},
    keys, schema,
    write::Written,
};

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Its last entry.
    pub place: Place,
    /// When that was.
    pub at: Timestamp,
    /// The entry that last changed the conversation's settings.
    pub settings: Seq,
    /// It ends for good: the conversation was deleted.
    pub ended: bool,
}

impl Tail {
    /// The number that the next entry gets.
    #[must_use]
    pub const fn next(&self) -> Seq {
        self.place.seq.next()
    }

    /// The time that an entry written at `now` gets: never before the entry in front of it.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now.max(self.at)
    }
}

impl From<&Entry> for Tail {
    fn from(entry: &Entry) -> Self {
        Self {
            place: entry.place,
            at: entry.at,
            settings: entry.settings,
            ended: matches!(entry.event, Event::ConversationDeleted),
        }
    }
}

/// What became of an append.
#[derive(Debug)]
pub enum Appended {
    /// The entries are in the log.
    Done,
    /// Somebody else took the number. Nothing was written: read again, check again, try again.
    Overtaken,
    /// A condition of what was to be written with the entries did not hold: which of the writes, and what
    /// stands there instead. Nothing was written.
    Refused(usize, Option<Item>),
}

/// Some entries, and whether there are more beyond them.
#[derive(Debug)]
pub struct Page {
    /// The entries, in the order asked for.
    pub entries: Vec<Entry>,
    /// Whether the log goes on.
    pub more: bool,
}

/// Which part of a log to read.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    /// Backwards, from the entry before this one, or from the tail.
    Before(Option<Seq>),
    /// Backwards, from the entry before the second, or from the tail, to the entry after the first.
    Between(Seq, Option<Seq>),
    /// Forwards, from the entry after this one.
    After(Seq),
}

impl Store {
    /// The end of the log, as of now (a consistent read); none if there is no such log.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn tail(&self, number: Number) -> Result<Option<Tail>, Error> {
        let page = self.entries(number, Span::Before(None), 1, true).await?;
        Ok(page.entries.first().map(Tail::from))
    }

    /// Appends entries that continue `tail` without a gap, together with other writes, all or nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`]. It is then unknown whether the entries were written.
    pub async fn append(&self, entries: &[Entry], with: Vec<Write>) -> Result<Appended, Error> {
        let mut writes = Vec::with_capacity(entries.len() + with.len());
        for entry in entries {
            writes.push(Write::put(to_item(entry)?).when("attribute_not_exists(pk)"));
        }
        debug_assert!(
            with.iter().filter_map(Write::changed_entry).all(|sk| entries.iter().any(|entry| {
                match entry.changed() {
                    Changed::Nothing => false,
                    Changed::Message(seq) => keys::seq(seq) == sk,
                    Changed::Any => true,
                }
            })),
            "a message is changed by entries that do not say so: {entries:?}"
        );
        writes.extend(with);
        let Written::Refused(refused) = self.write_all(writes).await? else { return Ok(Appended::Done) };
        for (index, standing) in &refused {
            if let Some(entry) = entries.get(*index) {
                // The SDK sends again what was not answered. If it was this very write that took the number,
                // it has been done.
                let nonce = standing.as_ref().and_then(|item| find_number(item, "r"));
                return Ok(if nonce == Some(entry.nonce.bits()) {
                    Appended::Done
                } else {
                    Appended::Overtaken
                });
            }
        }
        let first = refused.into_iter().next();
        let (index, standing) = first.ok_or_else(|| Error::Internal("a refusal without a reason".into()))?;
        Ok(Appended::Refused(index - entries.len(), standing))
    }

    /// Reads at most `limit` entries, and at most one megabyte.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn entries(
        &self,
        number: Number,
        span: Span,
        limit: usize,
        consistent: bool,
    ) -> Result<Page, Error> {
        let query =
            self.log(number).limit(i32::try_from(limit).unwrap_or(i32::MAX)).consistent_read(consistent);
        // What stands behind the last entry is none.
        let before = |sk: &str| {
            let query = query.clone().key_condition_expression("pk = :pk AND sk < :sk");
            query.expression_attribute_values(":sk", text(sk)).scan_index_forward(false)
        };
        let between = |first: Seq, end: &str| {
            let query = query.clone().key_condition_expression("pk = :pk AND sk BETWEEN :first AND :end");
            query
                .expression_attribute_values(":first", text(keys::seq(first)))
                .expression_attribute_values(":end", text(end))
        };
        let query = match span {
            Span::Before(None) => before(keys::TURN),
            Span::Before(Some(seq)) => before(&keys::seq(seq)),
            // DynamoDB refuses what ends before it begins.
            Span::Between(after, Some(before)) if before <= after.next() => {
                return Ok(Page { entries: Vec::new(), more: false });
            }
            Span::Between(after, before) => {
                let end =
                    before.map_or_else(|| keys::LOG_END.into(), |Seq(before)| keys::seq(Seq(before - 1)));
                between(after.next(), &end).scan_index_forward(false)
            }
            Span::After(seq) => between(seq.next(), keys::LOG_END),
        };
        let (items, more) = self.read_log(query).await?;
        let entries: Result<Vec<_>, _> = items.iter().map(from_item).collect();
        Ok(Page { entries: entries?, more })
    }

    /// A query of a log, `:pk` in it.
    pub(crate) fn log(&self, number: Number) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query.expression_attribute_values(":pk", text(keys::log_partition(number)))
    }

    /// A page of it, and whether there is more beyond it.
    pub(crate) async fn read_log(&self, query: QueryFluentBuilder) -> Result<(Vec<Item>, bool), Error> {
        let answer = query.send().await.map_err(|error| fault::of("Query", &error))?;
        let more = answer.last_evaluated_key().is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// Reads the entries at these places, in their order; those that do not exist are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn entries_at(&self, places: &[Place], consistent: bool) -> Result<Vec<Entry>, Error> {
        let keys: Vec<_> = places.iter().map(|place| keys::entry(*place)).collect();
        let items = self.get_all(keys, consistent).await?;
        let mut entries = items.iter().map(from_item).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(|entry| places.iter().position(|place| *place == entry.place));
        Ok(entries)
    }
}

/// Says that the notice of an entry has been written; refused if it has been already. For as long as the stream
/// may bring the entry again.
#[must_use]
pub fn once(source: Place, now: Timestamp) -> Write {
    let mut item = item::keyed(&keys::notice(source));
    item.insert(schema::TTL.into(), number(now.plus_seconds(SEEN_SECONDS).seconds()));
    Write::put(item).when("attribute_not_exists(pk)")
}

/// The stream keeps a record for a day; two to be sure.
const SEEN_SECONDS: i64 = 2 * 86_400;

/// The entry as an item.
pub(crate) fn to_item(entry: &Entry) -> Result<Item, Error> {
    let mut item = item::keyed(&keys::entry(entry.place));
    let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    set("t", number(entry.at.millis()));
    set("d", text(code(entry.dialect)));
    set("r", number(entry.nonce.bits()));
    set("g", number(entry.settings));
    if let Some(actor) = &entry.actor {
        set("u", text(actor.as_str()));
    }
    let Event::MessageCreated(message) = &entry.event else {
        set("x", json(&entry.event)?);
        return Ok(item);
    };
    set("k", text("m"));
    set("u", text(message.author.as_str()));
    if let Some(body) = &message.content.text {
        set("b", text(body));
    }
    if message.id != entry.id() {
        set("i", text(message.id.as_str()));
    }
    let mut set_unless_empty = |name: &str, value: AttributeValue| {
        if value.as_s().is_ok_and(|json| json != "{}") {
            set(name, value);
        }
    };
    set_unless_empty("x", json(&message.content)?);
    set_unless_empty("a", json(&message.audience)?);
    set_unless_empty("s", json(&message.state)?);
    Ok(item)
}

/// The entry that an item is.
pub(crate) fn from_item(item: &Item) -> Result<Entry, Error> {
    let place = keys::place(item)?;
    let at = Timestamp::from_millis(get_number(item, "t")?);
    let dialect = dialect(get_text(item, "d")?)?;
    let nonce = Nonce::new(get_number(item, "r")?);
    let actor = find_text(item, "u").map(UserId::trusted);
    let event = if find_text(item, "k") == Some("m") {
        let mut content: domain::message::Content = find_json(item, "x")?;
        content.text = find_text(item, "b").map(str::to_owned);
        Event::MessageCreated(Box::new(Message {
            id: find_text(item, "i").map_or_else(|| MessageId::mint(place, nonce), MessageId::trusted),
            place,
            author: UserId::trusted(get_text(item, "u")?),
            dialect,
            at,
            content,
            audience: find_json(item, "a")?,
            state: find_json(item, "s")?,
        }))
    } else {
        get_json(item, "x")?
    };
    Ok(Entry { place, at, actor, dialect, nonce, settings: Seq(get_number(item, "g")?), event })
}

const fn code(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channelize => "z",
        Dialect::Channels => "c",
        Dialect::Channelstream => "s",
        Dialect::Events => "e",
        Dialect::Nkchat => "n",
    }
}

fn dialect(text: &str) -> Result<Dialect, Error> {
    Dialect::ALL.into_iter().find(|dialect| code(*dialect) == text).ok_or_else(|| {
        Error::Internal(format!("unknown dialect {text} in attribute d, of {}", schema::SORT_KEY))
    })
}
