//! Messages that the application's server writes, edits and deletes for its users, several at once.
//!
//! What differs from [`super::send`] and [`super::messages`]: every message has an author of its own, an id that
//! was used before names the newest message that it was used for, and an edit or a deletion says itself who is to
//! hear of it. One call for one conversation is one append, as far as a transaction takes it.

use std::collections::BTreeMap;

use domain::{
    ConversationId, Dialect, Entry, Error, Event, Message, MessageId, Object, Seq, Timestamp, UserId, limits,
    message::{Audience, Content, Edit, State},
};
use serde::Serialize;
use store::{Item, Write, message, retry, write::ITEMS_PER_TRANSACTION};

use super::{
    commit::{self, Operation, Plan, Seen},
    send::check_size,
};
use crate::{auth::Caller, context::Context};

/// Bytes of one transaction; DynamoDB takes 4 MB.
const TRANSACTION_BYTES: usize = 3_000_000;
/// Bytes of an item beside what is said and who may see it: three ids of 256 bytes, and its keys.
const ITEM_BYTES: usize = 1_500;
/// Revisions that one transaction takes, however large they are.
const REVISED_AT_ONCE: usize = 5;

/// A message to be written.
#[derive(Debug, Clone)]
pub struct Post {
    /// The id, where the application chose one.
    pub id: Option<MessageId>,
    /// Who says it.
    pub author: UserId,
    /// What is said.
    pub content: Content,
    /// Who may see it.
    pub audience: Audience,
}

/// Writes messages into one conversation. One whose id was used before with the same content is not written
/// again: the first one is given back, also if it was edited or deleted since.
///
/// # Errors
/// [`Error::NotFound`] if there is no such conversation, [`Error::TooLarge`]: then nothing is written.
pub async fn post(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    conversation: &ConversationId,
    posts: &[Post],
) -> Result<Vec<Message>, Error> {
    for post in posts {
        check_size(&post.content, &post.audience)?;
    }
    let mut messages = Vec::with_capacity(posts.len());
    while let Some(posts) = posts.get(messages.len()..).filter(|rest| !rest.is_empty()) {
        let mut attempt = 0;
        messages.extend(loop {
            match commit::commit(cx, caller, dialect, conversation, &Posts { posts }).await {
                // Somebody else used an id at the same time: now it is there to be seen.
                Err(Error::Conflict(_)) if attempt < retry::ATTEMPTS => {
                    retry::pause(attempt).await;
                    attempt += 1;
                }
                other => break other?,
            }
        });
    }
    Ok(messages)
}

/// What one transaction has taken so far.
#[derive(Default)]
struct Room {
    items: usize,
    bytes: usize,
}

impl Room {
    /// Takes so much more, if there is room for it; for the first there always is.
    fn takes(&mut self, items: usize, bytes: usize) -> bool {
        let (items, bytes) = (self.items + items, self.bytes + bytes);
        if self.items > 0 && (items > ITEMS_PER_TRANSACTION || bytes > TRANSACTION_BYTES) {
            return false;
        }
        (self.items, self.bytes) = (items, bytes);
        true
    }
}

/// Bytes of this as JSON.
fn size<T: Serialize>(value: &T) -> Result<usize, Error> {
    let json = serde_json::to_vec(value).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    Ok(json.len())
}

/// Bytes of an item that keeps a message: its ids and keys take the rest.
fn size_of(content: &Content, audience: &Audience, state: &State) -> Result<usize, Error> {
    Ok(ITEM_BYTES + size(&(content, &content.text, audience, state))?)
}

/// As many of these, from the first on, as one transaction takes.
struct Posts<'a> {
    posts: &'a [Post],
}

impl Operation for Posts<'_> {
    type Output = Vec<Message>;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Vec<Message>>, Error> {
        seen.actor().may_write(&seen.conversation, seen.at)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(self.posts.len());
        let mut messages: Vec<Message> = Vec::with_capacity(self.posts.len());
        let mut names: BTreeMap<MessageId, Write> = BTreeMap::new();
        let mut renamed: BTreeMap<Seq, Write> = BTreeMap::new();
        let mut room = Room::default();
        for post in self.posts {
            let mut standing = None;
            if let Some(id) = &post.id {
                let here = messages.iter().rev().find(|message| message.id == *id).cloned();
                let stored = match here {
                    Some(message) => Some((None, message)),
                    None => {
                        seen.store.message(id, true).await?.map(|(entry, message)| (Some(entry), message))
                    }
                };
                if let Some((_, message)) = &stored
                    && message.place.number == seen.conversation.number
                    && message.author == post.author
                    && message.audience == post.audience
                    && message.said_first(&post.content)
                {
                    messages.push(message.clone());
                    continue;
                }
                standing = stored;
            }
            let is_known = standing.is_some();
            // A minted id names its own place: the message there must give it up.
            let giving_up = standing.and_then(|(origin, first)| {
                let origin = origin.filter(|origin| first.id == origin.id())?;
                (origin.place.number == seen.conversation.number).then_some((origin, first))
            });
            let (mut items, mut bytes) = (1, size_of(&post.content, &post.audience, &State::default())?);
            if post.id.is_some() {
                (items, bytes) = (items + 1, bytes + ITEM_BYTES);
            }
            if let Some((_, first)) = &giving_up {
                (items, bytes) = (items + 1, bytes + size_of(&first.content, &first.audience, &first.state)?);
            }
            if !room.takes(items, bytes) {
                break;
            }
            let mut entry = seen.entry(entries.len(), Event::ConversationDeleted)?;
            let message = Message {
                id: post.id.clone().unwrap_or_else(|| entry.id()),
                place: entry.place,
                author: post.author.clone(),
                dialect: seen.dialect,
                at: entry.at,
                content: post.content.clone(),
                audience: post.audience.clone(),
                state: State::default(),
            };
            if post.id.is_some() {
                let name = if is_known {
                    message::name(&message.id, entry.place)
                } else {
                    message::reserve(&message.id, entry.place)
                };
                names.insert(message.id.clone(), name);
            }
            if let Some((origin, first)) = giving_up {
                let id = MessageId::trusted(uuid::Uuid::new_v4().to_string());
                renamed.insert(origin.seq(), message::put(&origin, Message { id, ..first })?);
            }
            entry.actor = Some(post.author.clone());
            entry.event = Event::MessageCreated(Box::new(message.clone()));
            entries.push(entry);
            messages.push(message);
        }
        if entries.is_empty() {
            return Ok(Plan::Nothing(messages));
        }
        Ok(Plan::Append(entries, names.into_values().chain(renamed.into_values()).collect(), messages))
    }

    async fn refused(
        &self,
        _seen: &Seen<'_>,
        _write: usize,
        _standing: Option<Item>,
    ) -> Result<Vec<Message>, Error> {
        Err(Error::Conflict("The id was used for something else at the same time."))
    }
}

/// What an edit does to a message's content; it gets the edit's entry too.
pub type Rewrite = Box<dyn Fn(&mut Content, Seq) + Send + Sync>;

/// A change of a message.
pub struct Revision {
    /// The message.
    pub id: MessageId,
    /// Whom this dialect tells of it, of those who may see the message. The others tell all of those.
    pub audience: Audience,
    /// What the dialect must say of it in its own spelling.
    pub wire: Object,
    /// What is done to its content; none: it is deleted.
    pub rewrite: Option<Rewrite>,
}

impl Revision {
    /// Refuses what is larger than its frame may be.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn check(&self) -> Result<(), Error> {
        if size(&(&self.audience, &self.wire))? > limits::MESSAGE_BYTES {
            return Err(Error::TooLarge { what: "The message", limit: limits::MESSAGE_BYTES });
        }
        Ok(())
    }
}

/// Changes messages of one conversation. Says of each when that was, or nothing of one that is not there.
///
/// # Errors
/// [`Error::NotFound`] if there is no such conversation, [`Error::TooLarge`]: then nothing is changed.
pub async fn revise(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    conversation: &ConversationId,
    revisions: &[Revision],
) -> Result<Vec<Option<Timestamp>>, Error> {
    for revision in revisions {
        revision.check()?;
    }
    // What is said of a message is as large as it is together with what it keeps.
    if revisions.len() > REVISED_AT_ONCE && revisions.iter().any(|revision| revision.rewrite.is_some()) {
        let all = Revisions { revisions, whole: true };
        commit::rehearse(cx, caller, dialect, conversation, &all).await?;
    }
    let mut done = Vec::with_capacity(revisions.len());
    while let Some(revisions) = revisions.get(done.len()..).filter(|rest| !rest.is_empty()) {
        let some = Revisions { revisions, whole: false };
        done.extend(commit::commit(cx, caller, dialect, conversation, &some).await?);
    }
    Ok(done)
}

/// As many of these, from the first on, as one transaction takes; or the whole of them, to see whether they can be
/// done.
struct Revisions<'a> {
    revisions: &'a [Revision],
    whole: bool,
}

impl Operation for Revisions<'_> {
    type Output = Vec<Option<Timestamp>>;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Self::Output>, Error> {
        seen.actor().may_write(&seen.conversation, seen.at)?;
        let mut entries = Vec::new();
        let mut done = Vec::with_capacity(self.revisions.len());
        // Several revisions of a message change it one after another.
        let mut messages: BTreeMap<&MessageId, Option<(Entry, Message)>> = BTreeMap::new();
        let mut changed: BTreeMap<&MessageId, (Entry, Message)> = BTreeMap::new();
        let mut room = Room::default();
        for revision in self.revisions {
            if !messages.contains_key(&revision.id) {
                let found = seen.store.message(&revision.id, true).await?;
                let found = found.filter(|(entry, _)| entry.place.number == seen.conversation.number);
                messages.insert(&revision.id, found);
            }
            let found = changed.get(&revision.id).or(messages.get(&revision.id).and_then(Option::as_ref));
            let Some((origin, mut message)) = found.filter(|(_, message)| !message.state.recalled).cloned()
            else {
                done.push(None);
                continue;
            };
            let mut reference = message.reference();
            reference.told = Some(revision.audience.clone());
            reference.wire = revision.wire.clone();
            let event = match &revision.rewrite {
                Some(_) => Event::MessageEdited(reference.clone()),
                None => Event::MessageRecalled(reference.clone()),
            };
            let entry = seen.entry(entries.len(), event)?;
            if let Some(rewrite) = &revision.rewrite {
                message.rewrite(|content| rewrite(content, entry.seq()));
                check_size(&message.content, &message.audience)?;
                message.state.edited = Some(Edit { seq: entry.seq(), at: entry.at });
            } else {
                message.recall();
            }
            // What is put back changed, and what is told of it.
            let bytes = size_of(&message.content, &message.audience, &message.state)?
                + ITEM_BYTES
                + size(&reference)?;
            if !self.whole && !room.takes(2, bytes) {
                break;
            }
            done.push(Some(entry.at));
            entries.push(entry);
            changed.insert(&revision.id, (origin, message));
        }
        if entries.is_empty() {
            return Ok(Plan::Nothing(done));
        }
        let changed = changed.into_values().map(|(entry, message)| message::put(&entry, message));
        Ok(Plan::Append(entries, changed.collect::<Result<Vec<_>, _>>()?, done))
    }
}
