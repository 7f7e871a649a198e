//! Messages that the application's server writes, edits and deletes for its users, several at once.
//!
//! What differs from [`super::send`] and [`super::messages`]: every message has an author of its own, an id that
//! was used before names the newest message that it was used for, and an edit or a deletion says itself who is to
//! hear of it. One call for one conversation is one append, as far as a transaction takes it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ConversationId, Dialect, Entry, Error, Event, Message, MessageId, Object, Seq, Timestamp, UserId,
    message::{Audience, Content, Edit, State},
};
use store::{Item, Write, message, retry, write::ITEMS_PER_TRANSACTION};

use super::{
    commit::{self, Operation, Plan, Seen},
    send::check_size,
};
use crate::{auth::Caller, context::Context};

/// Bytes of one transaction; DynamoDB takes 4 MB.
const TRANSACTION_BYTES: usize = 3_000_000;

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
    for chunk in chunks(posts) {
        let mut attempt = 0;
        messages.extend(loop {
            match commit::commit(cx, caller, dialect, conversation, &Posts { posts: chunk }).await {
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

/// As many as one transaction takes: an entry each, and the name of a chosen id, and perhaps a renamed message.
fn chunks(posts: &[Post]) -> Vec<&[Post]> {
    let mut chunks = Vec::new();
    let (mut from, mut items, mut bytes) = (0, 0, 0);
    for (at, post) in posts.iter().enumerate() {
        let takes = if post.id.is_some() { 3 } else { 1 };
        let size =
            1_000 + serde_json::to_vec(&(&post.content, &post.content.text)).map_or(0, |json| json.len());
        if items + takes > ITEMS_PER_TRANSACTION || bytes + size > TRANSACTION_BYTES {
            chunks.extend(posts.get(from..at));
            (from, items, bytes) = (at, 0, 0);
        }
        items += takes;
        bytes += size;
    }
    chunks.extend(posts.get(from..).filter(|rest| !rest.is_empty()));
    chunks
}

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
                let name = match &standing {
                    Some(_) => message::name(&message.id, entry.place),
                    None => message::reserve(&message.id, entry.place),
                };
                names.insert(message.id.clone(), name);
            }
            // A minted id names its own place: the message there must give it up.
            if let Some((Some(origin), first)) = standing
                && first.id == origin.id()
                && origin.place.number == seen.conversation.number
            {
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

/// Changes messages of one conversation. Says of each when that was, or nothing of one that is not there.
///
/// # Errors
/// [`Error::NotFound`] if there is no such conversation, [`Error::TooLarge`].
pub async fn revise(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    conversation: &ConversationId,
    revisions: &[Revision],
) -> Result<Vec<Option<Timestamp>>, Error> {
    let mut done = Vec::with_capacity(revisions.len());
    // An entry and a message each; and a message may be 100 KB.
    for chunk in revisions.chunks(ITEMS_PER_TRANSACTION / 4) {
        done.extend(
            commit::commit(cx, caller, dialect, conversation, &Revisions { revisions: chunk }).await?,
        );
    }
    Ok(done)
}

struct Revisions<'a> {
    revisions: &'a [Revision],
}

impl Operation for Revisions<'_> {
    type Output = Vec<Option<Timestamp>>;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Self::Output>, Error> {
        seen.actor().may_write(&seen.conversation, seen.at)?;
        let mut entries = Vec::new();
        let mut done = Vec::with_capacity(self.revisions.len());
        // Several revisions of a message change it one after another.
        let mut messages: BTreeMap<MessageId, (Entry, Message)> = BTreeMap::new();
        let mut missing: BTreeSet<&MessageId> = BTreeSet::new();
        for revision in self.revisions {
            if !messages.contains_key(&revision.id) && !missing.contains(&revision.id) {
                let found = seen.store.message(&revision.id, true).await?;
                match found.filter(|(entry, _)| entry.place.number == seen.conversation.number) {
                    Some(found) => {
                        messages.insert(revision.id.clone(), found);
                    }
                    None => {
                        missing.insert(&revision.id);
                    }
                }
            }
            let found = messages.get_mut(&revision.id).filter(|(_, message)| !message.state.recalled);
            let Some((_, message)) = found else {
                done.push(None);
                continue;
            };
            let mut reference = message.reference();
            reference.told = Some(revision.audience.clone());
            reference.wire = revision.wire.clone();
            let event = match &revision.rewrite {
                Some(_) => Event::MessageEdited(reference),
                None => Event::MessageRecalled(reference),
            };
            let entry = seen.entry(entries.len(), event)?;
            if let Some(rewrite) = &revision.rewrite {
                message.rewrite(|content| rewrite(content, entry.seq()));
                check_size(&message.content, &message.audience)?;
                message.state.edited = Some(Edit { seq: entry.seq(), at: entry.at });
            } else {
                message.recall();
            }
            done.push(Some(entry.at));
            entries.push(entry);
        }
        if entries.is_empty() {
            return Ok(Plan::Nothing(done));
        }
        let changed = messages.into_values().map(|(entry, message)| message::put(&entry, message));
        Ok(Plan::Append(entries, changed.collect::<Result<Vec<_>, _>>()?, done))
    }
}
