//! Writing messages.

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Event, Member, Message, MessageId, UserId, limits,
    message::{Audience, Content, Parent, State},
    visibility::{self, Reader},
};
use store::{Item, message};

use super::{
    access::{self, View},
    block::not_blocked,
    commit::{self, Operation, Plan, Seen},
    messages::NO_MESSAGE,
};
use crate::{auth::Caller, context::Context};

/// A message to be written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The id, where the client chose one.
    pub id: Option<MessageId>,
    /// What is said. Its `parent` is left empty; `parent_id` names it.
    pub content: Content,
    /// Who may see it.
    pub audience: Audience,
    /// The message it replies to.
    pub parent_id: Option<MessageId>,
}

/// Messages that are in the log, and the conversation as their author sees it.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The messages, in the order of their drafts.
    pub messages: Vec<Message>,
    /// The author's view of the conversation at the tail that they were appended to.
    pub view: View<'a>,
}

/// Writes messages into one conversation, all or nothing, in one append.
///
/// A message whose id the client chose and that was written before is not written again: if it came from the
/// same user with the same content, the first one is given back, also if it was edited or recalled since.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::TooLarge`], [`Error::Exists`] if an id is taken by
/// something else.
pub async fn send<'a>(
    cx: &Context,
    caller: &'a Caller,
    dialect: Dialect,
    conversation: &ConversationId,
    drafts: Vec<Draft>,
) -> Result<Sent<'a>, Error> {
    for draft in &drafts {
        check_size(&draft.content, &draft.audience)?;
    }
    let sent = commit::commit(cx, caller, dialect, conversation, &Send { drafts }).await?;
    let (messages, conversation, member) = sent;
    Ok(Sent { messages, view: View { conversation, member, caller, seen_before: false } })
}

struct Send {
    drafts: Vec<Draft>,
}

/// The messages, and where their author stands.
type Written = (Vec<Message>, Conversation, Option<Member>);

fn written(messages: Vec<Message>, seen: &Seen<'_>) -> Written {
    (messages, seen.conversation.clone(), seen.member.clone())
}

impl Operation for Send {
    type Output = Written;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Written>, Error> {
        let author = seen.caller.user()?;
        seen.actor().may_write(&seen.conversation, seen.at)?;
        not_blocked(seen.store, &seen.conversation, author).await?;
        let (mut entries, mut writes, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        let mut parents: Vec<(Entry, Message)> = Vec::new();
        for (n, draft) in self.drafts.iter().enumerate() {
            // An id that looks minted has no item that reserves it: ask for the message itself.
            if let Some(id) = &draft.id
                && id.place().is_some()
                && let Some(first) = self.repeated(seen, author, draft, id).await?
            {
                return Ok(Plan::Nothing(written(vec![first], seen)));
            }
            let mut content = draft.content.clone();
            if let Some(id) = &draft.parent_id {
                // A transaction takes an item once: several replies count on the same parent.
                if !parents.iter().any(|(_, parent)| parent.id == *id) {
                    match find_parent(seen, id).await {
                        Ok(found) => parents.push(found),
                        // Sent again, when what it replied to is gone: it stands, and is given back.
                        Err(gone) => {
                            let Some(id) = &draft.id else { return Err(gone) };
                            return match self.repeated(seen, author, draft, id).await {
                                Ok(Some(first)) => Ok(Plan::Nothing(written(vec![first], seen))),
                                Ok(None) | Err(Error::Exists(_)) => Err(gone),
                                Err(error) => Err(error),
                            };
                        }
                    }
                }
                if let Some((_, parent)) = parents.iter_mut().find(|(_, parent)| parent.id == *id) {
                    content.parent = Some(Parent { id: parent.id.clone(), seq: parent.place.seq });
                    // A count is the same for all who see the parent: what only some may see is not in it.
                    parent.state.replies += u64::from(draft.audience.is_everybody());
                }
            }
            let mut entry = seen.entry(n, Event::ConversationDeleted)?;
            let message = Message {
                id: draft.id.clone().unwrap_or_else(|| entry.id()),
                place: entry.place,
                author: author.clone(),
                dialect: seen.dialect,
                at: entry.at,
                content,
                audience: draft.audience.clone(),
                state: State::default(),
            };
            if draft.id.is_some() {
                writes.push(message::reserve(&message.id, entry.place));
            }
            entry.event = Event::MessageCreated(Box::new(message.clone()));
            entries.push(entry);
            messages.push(message);
        }
        for (entry, parent) in parents {
            writes.push(message::put(&entry, parent)?);
        }
        Ok(Plan::Append(entries, writes, written(messages, seen)))
    }

    async fn refused(
        &self,
        seen: &Seen<'_>,
        _write: usize,
        _standing: Option<Item>,
    ) -> Result<Written, Error> {
        // The only writes with a condition of their own are the reservations of chosen ids.
        let author = seen.caller.user()?;
        let mut messages = Vec::with_capacity(self.drafts.len());
        for draft in &self.drafts {
            let Some(id) = &draft.id else { return Err(TAKEN) };
            messages.push(self.repeated(seen, author, draft, id).await?.ok_or(TAKEN)?);
        }
        Ok(written(messages, seen))
    }
}

/// What it is called when another message has the id.
pub(super) const TAKEN: Error = Error::Exists("A message with this id");

impl Send {
    /// The message that was first written with this id; none if there is none.
    async fn repeated(
        &self,
        seen: &Seen<'_>,
        author: &UserId,
        draft: &Draft,
        id: &MessageId,
    ) -> Result<Option<Message>, Error> {
        let Some((entry, first)) = seen.store.message(id, true).await? else { return Ok(None) };
        let same = first.author == *author
            && entry.place.number == seen.conversation.number
            && first.audience == draft.audience
            && first.content.parent.as_ref().map(|parent| &parent.id) == draft.parent_id.as_ref()
            && first.said_first(&draft.content);
        if same { Ok(Some(first)) } else { Err(TAKEN) }
    }
}

/// What a reply may be written to. What was taken back is gone in every dialect but one: a reply would hang in the air.
async fn find_parent(seen: &Seen<'_>, id: &MessageId) -> Result<(Entry, Message), Error> {
    Some(find_visible(seen, id).await?).filter(|(_, parent)| !parent.state.recalled).ok_or(NO_MESSAGE)
}

/// The message, if it is in this conversation and the caller may see it.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find_visible(seen: &Seen<'_>, id: &MessageId) -> Result<(Entry, Message), Error> {
    Some(find(seen, id).await?).filter(|(entry, _)| is_visible(seen, entry)).ok_or(NO_MESSAGE)
}

/// The message, if it is in this conversation.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find(seen: &Seen<'_>, id: &MessageId) -> Result<(Entry, Message), Error> {
    let found = seen.store.message(id, true).await?;
    found.filter(|(entry, _)| entry.place.number == seen.conversation.number).ok_or(NO_MESSAGE)
}

/// Whether the caller may see the entry, which is in this conversation.
pub(super) fn is_visible(seen: &Seen<'_>, entry: &Entry) -> bool {
    let actor = seen.actor();
    let reader = Reader { user: actor.user, member: actor.member, powerful: actor.powerful };
    visibility::may_see(&seen.conversation.openness, reader, entry)
}

/// Refuses, before anything is written, who may not write into the conversation as it is now: for calls that
/// write into several. What counts is what is true at each log's tail, when the message is appended.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn may_send(cx: &Context, caller: &Caller, id: &ConversationId) -> Result<(), Error> {
    let view = access::view(cx, caller, id).await?;
    view.actor().may_write(&view.conversation, cx.clock.now())?;
    not_blocked(&cx.store, &view.conversation, caller.user()?).await
}

/// Refuses content that is larger than its frame may be.
pub(super) fn check_size(content: &Content, audience: &Audience) -> Result<(), Error> {
    let size = |value: Result<Vec<u8>, serde_json::Error>| {
        value.map(|json| json.len()).map_err(|error| Error::Internal(format!("JSON: {error}")))
    };
    let text = size(serde_json::to_vec(&content.text))?;
    let rest = size(serde_json::to_vec(content))?;
    let audience = size(serde_json::to_vec(audience))?;
    if text + rest + audience > limits::MESSAGE_BYTES {
        return Err(Error::TooLarge { what: "The message", limit: limits::MESSAGE_BYTES });
    }
    Ok(())
}
