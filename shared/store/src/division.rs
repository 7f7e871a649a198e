//! A large audience, divided: into which stretches, and how far each of them has been served.
//!
//! Members are cut by user id and subscriptions by connection id, so that a stretch is one Query, and whoever is
//! in it stays in it for as long as the division stands. The division stands in front of the members, so that
//! whoever reads them finds it at no cost. A *round* is one batch of changes that was sent to every shard; a shard
//! notes the last one that it has delivered. Items: `n` the log's number, `g` generation, `p` rounds, `x` the cuts
//! as JSON; of a shard `p` the last round it delivered, `z` its size.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::{ConversationId, Error, Member, Number, Timestamp, Topic};
use serde::{Deserialize, Serialize};

use crate::{
    Item, Store, Write, fault,
    item::{self, get_json, get_number, get_text, json, number, text},
    keys,
    member::from_item as member_from_item,
    schema,
    stretch::Stretch,
    subscription::{self, Subscription},
    write::Written,
};

/// How long a division is remembered after its last round, in seconds: far longer than a chunk can wait.
const LIFETIME_SECONDS: i64 = 2 * 86_400;
/// Cuts of one list at most: their item must stay below 400 KB. Beyond, the stretches become longer instead.
const MOST_CUTS: usize = 1_000;

/// How an audience is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// The life of the conversation that it is of.
    pub number: Number,
    /// Tells this division from one before it.
    pub generation: u64,
    /// Rounds that were begun, in this generation and before.
    pub rounds: u64,
    /// Where it is cut.
    pub cuts: Cuts,
}

/// Where an audience is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cuts {
    /// Users with whom a stretch of members begins, the first stretch not counted.
    #[serde(rename = "m")]
    pub members: Vec<String>,
    /// Connections with which a stretch of subscriptions begins, the first not counted.
    #[serde(rename = "s")]
    pub subscribers: Vec<String>,
    /// It is a memory only: the audience has become small, and is served as a whole.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub united: bool,
}

/// How far a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The last round it delivered.
    pub round: u64,
    /// How many ids were in its stretch then.
    pub size: usize,
}

/// Who belongs to a conversation, if they are not too many to be named.
#[derive(Debug)]
pub struct Roster {
    /// The members; none if they are more than were asked for, or divided.
    pub members: Option<Vec<Member>>,
    /// How the audience is, or was, divided.
    pub division: Option<Division>,
}

impl Store {
    /// Everybody who ever had to do with this life of the conversation, if that is no more than `most`, and its
    /// audience is not divided.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn roster(&self, id: &ConversationId, life: Number, most: usize) -> Result<Roster, Error> {
        let division = keys::division(id);
        let stretch = (division.sk.clone(), keys::MEMBER_END.to_owned());
        let (mut members, mut divided) = (Vec::new(), None);
        let mut pages = self.pages(division.pk, Some(stretch));
        while let Some(items) = pages.next().await? {
            for found in &items {
                if get_text(found, schema::SORT_KEY)? != division.sk {
                    let member = member_from_item(found)?;
                    members.extend((member.number == life).then_some(member));
                } else if get_number::<u64>(found, "n")? == life.0 {
                    divided = Some(from_item(found)?);
                }
            }
            let stands = divided.as_ref().is_some_and(|division: &Division| !division.cuts.united);
            if members.len() > most || stands {
                return Ok(Roster { members: None, division: divided });
            }
        }
        Ok(Roster { members: Some(members), division: divided })
    }

    /// How the audience is, or was, divided.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn division(&self, id: &ConversationId) -> Result<Option<Division>, Error> {
        self.get(&keys::division(id), true).await?.as_ref().map(from_item).transpose()
    }

    /// The connections that subscribe to a topic, if they are no more than `most`.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribers_up_to(
        &self,
        topic: &Topic,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Vec<Subscription>>, Error> {
        let mut found = Vec::new();
        let mut pages = self.pages(keys::topic_partition(&topic.name()), None);
        while let Some(items) = pages.next().await? {
            found.extend(subscription::alive(&items, now)?);
            if found.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Those of a stretch who ever had to do with this life of the conversation.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn members_within(
        &self,
        id: &ConversationId,
        life: Number,
        stretch: &Stretch,
    ) -> Result<Vec<Member>, Error> {
        let partition = keys::conversation_partition(id);
        let items = self.within(partition, keys::MEMBER, keys::MEMBER_END, stretch).await?;
        let members: Result<Vec<Member>, _> = items.iter().map(member_from_item).collect();
        Ok(members?.into_iter().filter(|member| member.number == life).collect())
    }

    /// A stretch of the connections that subscribe to a topic.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn subscribers_within(
        &self,
        topic: &Topic,
        stretch: &Stretch,
        now: Timestamp,
    ) -> Result<Vec<Subscription>, Error> {
        let items = self.within(keys::topic_partition(&topic.name()), "", "", stretch).await?;
        subscription::alive(&items, now)
    }

    /// Where the audience is to be cut, so that about `size` ids lie between two cuts. Reads all of it, a page at a
    /// time.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn cuts(&self, id: &ConversationId, topic: &Topic, size: usize) -> Result<Cuts, Error> {
        let members = (keys::conversation_partition(id), keys::MEMBER, keys::MEMBER_END);
        let subscribers = (keys::topic_partition(&topic.name()), "", "");
        let (members, subscribers) =
            futures_util::future::try_join(self.cut(members, size), self.cut(subscribers, size)).await?;
        Ok(Cuts { members, subscribers, united: false })
    }

    async fn cut(
        &self,
        (partition, prefix, end): (String, &str, &str),
        mut size: usize,
    ) -> Result<Vec<String>, Error> {
        let bounds = (!prefix.is_empty()).then(|| (prefix.to_owned(), end.to_owned()));
        let mut pages = self.pages(partition, bounds);
        let (mut cuts, mut since) = (Vec::new(), 0);
        while let Some(items) = pages.next().await? {
            for found in &items {
                if since == size {
                    let sk = get_text(found, schema::SORT_KEY)?;
                    cuts.push(sk.strip_prefix(prefix).unwrap_or(sk).to_owned());
                    since = 0;
                }
                since += 1;
            }
            if cuts.len() > MOST_CUTS {
                cuts = cuts.into_iter().skip(1).step_by(2).collect();
                size = size.saturating_mul(2);
            }
        }
        Ok(cuts)
    }

    /// Divides an audience, or divides it anew, or notes that it is united. Says whether it did: not if somebody else did meanwhile, or another
    /// round of the division before has begun.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn divide(
        &self,
        id: &ConversationId,
        new: &Division,
        before: Option<&Division>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut item = item::keyed(&keys::division(id));
        item.insert("n".into(), number(new.number));
        item.insert("g".into(), number(new.generation));
        item.insert("p".into(), number(new.rounds));
        item.insert("x".into(), json(&new.cuts)?);
        item.insert(schema::TTL.into(), ttl(now));
        let put = Write::put(item);
        let put = match before {
            Some(before) => put
                .when("n = :n AND g = :g AND p = :p")
                .with(":n", number(before.number))
                .with(":g", number(before.generation))
                .with(":p", number(before.rounds)),
            None => put.when("attribute_not_exists(pk) OR n <> :n").with(":n", number(new.number)),
        };
        Ok(matches!(self.write_one(put).await?, Written::Done))
    }

    /// Begins a round of a division; its number.
    ///
    /// # Errors
    /// [`Error::Busy`], also if the audience is divided otherwise by now; [`Error::Internal`].
    pub async fn begin_round(
        &self,
        id: &ConversationId,
        division: &Division,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::keyed(&keys::division(id))))
            .update_expression("SET #t = :t ADD p :one")
            .condition_expression("n = :n AND g = :g")
            .expression_attribute_names("#t", schema::TTL)
            .expression_attribute_values(":t", ttl(now))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":n", number(division.number))
            .expression_attribute_values(":g", number(division.generation))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await;
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError as E;
        match sent {
            Ok(answer) => get_number(&answer.attributes.unwrap_or_default(), "p"),
            Err(error) => match error.as_service_error() {
                Some(E::ConditionalCheckFailedException(_)) => Err(Error::Busy),
                _ => Err(fault::of("UpdateItem", &error)),
            },
        }
    }

    /// How far the shards of a division are, by name; those that never delivered are left out.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn served(&self, division: &Division) -> Result<BTreeMap<String, Served>, Error> {
        let key = keys::shard(division.number, division.generation, "");
        let items = self.query_all(key.pk, &key.sk, true).await?;
        let served = items.iter().map(|item| {
            let sk = get_text(item, schema::SORT_KEY)?;
            let name = sk.strip_prefix(&key.sk).unwrap_or(sk).to_owned();
            Ok((name, Served { round: get_number(item, "p")?, size: get_number(item, "z")? }))
        });
        served.collect()
    }

    /// Notes that a shard has delivered a round. An older round changes nothing.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn note_served(
        &self,
        (life, generation): (Number, u64),
        shard: &str,
        served: Served,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = item::keyed(&keys::shard(life, generation, shard));
        item.insert("p".into(), number(served.round));
        item.insert("z".into(), number(served.size));
        item.insert(schema::TTL.into(), ttl(now));
        let put = Write::put(item).when("attribute_not_exists(p) OR p < :p").with(":p", number(served.round));
        self.write_one(put).await.map(|_| ())
    }

    async fn within(
        &self,
        partition: String,
        prefix: &str,
        end: &str,
        stretch: &Stretch,
    ) -> Result<Vec<Item>, Error> {
        let from = stretch.from.as_ref().map_or_else(|| prefix.to_owned(), |from| format!("{prefix}{from}"));
        let to = stretch.to.as_ref().map(|to| format!("{prefix}{to}"));
        // What no key is greater than: keys are of printable characters.
        let last = if end.is_empty() { "\u{10ffff}" } else { end };
        let from = if from.is_empty() { "\u{1}".to_owned() } else { from };
        let mut pages = self.pages(partition, Some((from, to.clone().unwrap_or_else(|| last.to_owned()))));
        let mut found = Vec::new();
        while let Some(items) = pages.next().await? {
            found.extend(items);
        }
        if let Some(to) = to {
            // BETWEEN takes both ends; the last one is the next stretch's.
            found.retain(|item| item::find_text(item, schema::SORT_KEY) != Some(to.as_str()));
        }
        Ok(found)
    }

    fn pages(&self, partition: String, between: Option<(String, String)>) -> Pages<'_> {
        Pages { store: self, partition, between, start: Some(None) }
    }
}

/// A consistent Query, page by page.
struct Pages<'a> {
    store: &'a Store,
    partition: String,
    between: Option<(String, String)>,
    /// Where the next page begins; none: there is none.
    start: Option<Option<Item>>,
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Item>>, Error> {
        let Some(start) = self.start.take() else { return Ok(None) };
        let query = self
            .store
            .client
            .query()
            .table_name(&self.store.table)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .expression_attribute_values(":pk", text(&self.partition));
        let query = match &self.between {
            None => query.key_condition_expression("pk = :pk"),
            Some((from, to)) => query
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to)),
        };
        let answer = query.send().await.map_err(|error| fault::of("Query", &error))?;
        self.start = answer.last_evaluated_key.map(Some);
        Ok(Some(answer.items.unwrap_or_default()))
    }
}

fn from_item(item: &Item) -> Result<Division, Error> {
    Ok(Division {
        number: Number(get_number(item, "n")?),
        generation: get_number(item, "g")?,
        rounds: get_number(item, "p")?,
        cuts: get_json(item, "x")?,
    })
}

fn ttl(now: Timestamp) -> AttributeValue {
    number(now.plus_seconds(LIFETIME_SECONDS).seconds())
}
