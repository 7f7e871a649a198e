//! Requests that carry an idempotency key: what the first of them led to is kept for a day, for its repetitions.
//!
//! The item: `h` what the request asked (none where that was refused), `e` the seed, `l` until when it is being worked on (milliseconds); and
//! once it has been, `c` the status and `x` the body of the answer. The seed is drawn with the first request
//! and is the same for all: whoever takes up a request whose worker died mints the same ids from it, so that
//! what was written already is found and not written again.

use domain::{Error, Timestamp};

use crate::{
    Item, Store, Write,
    item::{self, find_number, find_text, get_text, is_over, number, text},
    keys, schema,
    write::Written,
};

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 86_400;
/// How long a request may be worked on before somebody else takes it up: longer than a function may run.
const WORK_SECONDS: i64 = 30;

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is to be done now, with this seed.
    Do {
        /// A UUID, the same however often the request is taken up.
        seed: String,
        /// Nobody has done anything of it before.
        first: bool,
    },
    /// It has been done.
    Done {
        /// The answer's HTTP status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// Somebody is doing it.
    UnderWay,
    /// The key was used for something else.
    Different,
}

impl Store {
    /// Claims a request: `caller` is whose key it is, `asked` what it asks for.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn claim(&self, caller: &str, key: &str, asked: &str, now: Timestamp) -> Result<Claim, Error> {
        let key = keys::request(caller, key);
        let seed = uuid::Uuid::new_v4().to_string();
        let mut fresh = item::keyed(&key);
        fresh.insert("h".into(), text(asked));
        fresh.insert("e".into(), text(&seed));
        fresh.insert("l".into(), number(now.plus_seconds(WORK_SECONDS).millis()));
        fresh.insert(schema::TTL.into(), number(now.plus_seconds(KEPT_SECONDS).seconds()));
        // A time to live that is over counts, even if DynamoDB has not come round to it: `ttl` is a reserved word.
        let put = Write::put(fresh.clone()).when("attribute_not_exists(pk)");
        let Written::Refused(refused) = self.write_one(put).await? else {
            return Ok(Claim::Do { seed, first: true });
        };
        let Some(standing) = refused.into_iter().next().and_then(|(_, standing)| standing) else {
            return Ok(Claim::UnderWay);
        };
        if find_text(&standing, "e") == Some(&seed) {
            // The SDK asked again for what had been done: this call's own claim stands.
            return Ok(Claim::Do { seed, first: true });
        }
        if is_over(&standing, now) {
            let old = get_text(&standing, "e")?;
            let put = Write::put(fresh).when("e = :e").with(":e", text(old));
            return Ok(match self.write_one(put).await? {
                Written::Done => Claim::Do { seed, first: true },
                Written::Refused(refused) => {
                    let own = |(_, standing): &(usize, Option<Item>)| {
                        standing.as_ref().and_then(|item| find_text(item, "e")) == Some(&seed)
                    };
                    if refused.iter().any(own) { Claim::Do { seed, first: true } } else { Claim::UnderWay }
                }
            });
        }
        let before = find_text(&standing, "h");
        if before.is_some_and(|before| before != asked) {
            return Ok(Claim::Different);
        }
        if let Some(status) = find_number(&standing, "c") {
            let body = find_text(&standing, "x").unwrap_or_default().to_owned();
            return Ok(Claim::Done { status, body });
        }
        let ends: i64 = item::get_number(&standing, "l")?;
        if ends > now.millis() {
            return Ok(Claim::UnderWay);
        }
        let take_up = Write::update(key, "SET l = :l, h = :h")
            .when("l = :o AND attribute_not_exists(c)")
            .with(":o", number(ends))
            .with(":h", text(asked))
            .with(":l", number(now.plus_seconds(WORK_SECONDS).millis()));
        Ok(match self.write_one(take_up).await? {
            Written::Done => {
                Claim::Do { seed: get_text(&standing, "e")?.to_owned(), first: before.is_none() }
            }
            Written::Refused(_) => Claim::UnderWay,
        })
    }

    /// Keeps the answer of a request that was done with this seed.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn settle(
        &self,
        caller: &str,
        key: &str,
        seed: &str,
        (status, body): (u16, &str),
    ) -> Result<(), Error> {
        let update = Write::update(keys::request(caller, key), "SET c = :c, x = :x")
            .when("e = :e")
            .with(":c", number(status))
            .with(":x", text(body))
            .with(":e", text(seed));
        self.write_one(update).await.map(|_| ())
    }

    /// Lets somebody else take the request up at once: it was refused, or it is not known what became of it. `unused`: it
    /// was refused, and nothing was done: the key is free for another request.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn put_back(&self, caller: &str, key: &str, seed: &str, unused: bool) -> Result<(), Error> {
        let expression = if unused { "SET l = :l REMOVE h" } else { "SET l = :l" };
        let update = Write::update(keys::request(caller, key), expression)
            .when("e = :e AND attribute_not_exists(c)")
            .with(":l", number(0))
            .with(":e", text(seed));
        self.write_one(update).await.map(|_| ())
    }
}
