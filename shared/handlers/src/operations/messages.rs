//! Changing messages: recall, own-copy delete, reactions, pins.
//!
//! Each change is one entry and the message in its new state, in one transaction.

use std::collections::BTreeMap;

use domain::{
    ConversationId, Dialect, Error, Event, Member, Message, MessageId, Role, Visibility, limits,
    message::{Content, Edit},
    ranges::Ranges,
};
use store::{member, message};

mod change;

use super::{
    access,
    block::not_blocked,
    commit::{self, Operation, Plan, Seen},
    send::{check_size, find, find_visible, is_visible},
};
use crate::{auth::Caller, context::Context};

pub use change::{Change, change};

/// Messages of one transaction, an entry and a message each. Both repeat who may see the message, which may
/// take 100 KB; a transaction takes 4 MB.
const RECALLED_AT_ONCE: usize = 15;

/// What it is called when a message is not there, or not for the caller to see.
pub const NO_MESSAGE: Error = Error::NotFound("Message");

/// The conversation that a message is in.
///
/// # Errors
/// [`Error::NotFound`] if there is no such message.
pub async fn conversation_of(cx: &Context, id: &MessageId) -> Result<ConversationId, Error> {
    let place = cx.store.locate(id).await?.ok_or(NO_MESSAGE)?;
    cx.store.conversation_of(place.number).await?.ok_or(NO_MESSAGE)
}

/// A message that the caller may see.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] if the caller may not look into its conversation.
pub async fn visible(cx: &Context, caller: &Caller, id: &MessageId) -> Result<Message, Error> {
    let conversation = conversation_of(cx, id).await?;
    let view = access::view(cx, caller, &conversation).await?;
    let (entry, message) = cx.store.message(id, true).await?.ok_or(NO_MESSAGE)?;
    if entry.place.number != view.conversation.number || !view.sees(&entry) {
        return Err(NO_MESSAGE);
    }
    Ok(message)
}

/// Groups messages by conversation. Those that do not exist are left out; if none does, that is an error.
async fn by_conversation(
    cx: &Context,
    ids: &[MessageId],
) -> Result<BTreeMap<ConversationId, Vec<MessageId>>, Error> {
    let mut groups: BTreeMap<ConversationId, Vec<MessageId>> = BTreeMap::new();
    for id in ids {
        match conversation_of(cx, id).await {
            Ok(conversation) => {
                let group = groups.entry(conversation).or_default();
                if !group.contains(id) {
                    group.push(id.clone());
                }
            }
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if groups.is_empty() {
        return Err(NO_MESSAGE);
    }
    Ok(groups)
}

/// Who may take a message back from everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recaller {
    /// Only who wrote it.
    Author,
    /// Also moderators of its conversation.
    AuthorOrModerator,
}

/// Takes messages back from everybody. Their places stay, their content goes. A message that was taken back
/// before is no error.
///
/// # Errors
/// [`Error::NotFound`] if none of them is there to be seen; [`Error::Forbidden`] if one may not be taken back
/// by the caller: then none is.
pub async fn recall(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    ids: &[MessageId],
    who: Recaller,
) -> Result<(), Error> {
    let mut found = false;
    let mut missing = NO_MESSAGE;
    let groups = by_conversation(cx, ids).await?;
    if groups.len() > 1 || groups.values().any(|group| group.len() > RECALLED_AT_ONCE) {
        rehearse(cx, caller, dialect, &groups, |ids| Recall { ids, who }).await?;
    }
    for (conversation, group) in groups {
        for chunk in group.chunks(RECALLED_AT_ONCE) {
            match commit::commit(cx, caller, dialect, &conversation, &Recall { ids: chunk, who }).await {
                Ok(()) => found = true,
                Err(error @ Error::NotFound(_)) => missing = error,
                Err(error) => return Err(error),
            }
        }
    }
    if found { Ok(()) } else { Err(missing) }
}

/// Refuses, before the first of several transactions, what one of them would be refused for: bad input changes
/// nothing. What becomes so between the transactions is refused then. Who has nothing there is left out.
async fn rehearse<'a, O: Operation>(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    groups: &'a BTreeMap<ConversationId, Vec<MessageId>>,
    operation: impl Fn(&'a [MessageId]) -> O,
) -> Result<(), Error> {
    for (conversation, group) in groups {
        match commit::rehearse(cx, caller, dialect, conversation, &operation(group)).await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Recall<'a> {
    ids: &'a [MessageId],
    who: Recaller,
}

impl Operation for Recall<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        seen.actor().may_write(&seen.conversation, seen.at)?;
        let (mut entries, mut writes) = (Vec::new(), Vec::new());
        let mut found = false;
        for id in self.ids {
            let (entry, mut message) = match find(seen, id).await {
                Err(Error::NotFound(_)) => continue,
                other => other?,
            };
            if !is_visible(seen, &entry) && !is_own_hidden(seen, &message) {
                continue;
            }
            found = true;
            if seen.caller.user.as_ref() != Some(&message.author) && !seen.caller.powerful {
                match self.who {
                    Recaller::Author => {
                        return Err(Error::Forbidden("Only its author may delete a message for everyone."));
                    }
                    Recaller::AuthorOrModerator => seen.actor().needs(Role::Moderator)?,
                }
            }
            if message.state.recalled {
                continue;
            }
            entries.push(seen.entry(entries.len(), Event::MessageRecalled(message.reference()))?);
            message.recall();
            writes.push(message::put(&entry, message)?);
        }
        if !found {
            return Err(NO_MESSAGE);
        }
        Ok(if entries.is_empty() { Plan::Nothing(()) } else { Plan::Append(entries, writes, ()) })
    }
}

/// Whether it is a message of the caller's whose own copy the caller has deleted: it is still the author's to take
/// back from the others.
fn is_own_hidden(seen: &Seen<'_>, message: &Message) -> bool {
    seen.caller.user.as_ref() == Some(&message.author)
        && seen.member.as_ref().is_some_and(|member| member.hidden.contains(message.place.seq))
}

/// Deletes the caller's own copies. Nobody else notices. A copy that was deleted before is no error.
///
/// # Errors
/// [`Error::NotFound`] if none of them is there; [`Error::Forbidden`] if one is in a conversation that is not
/// private: then none is deleted.
pub async fn delete_copies(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    ids: &[MessageId],
) -> Result<(), Error> {
    caller.user()?;
    let mut found = false;
    let groups = by_conversation(cx, ids).await?;
    if groups.len() > 1 {
        let operation = |ids| DeleteCopies { ids: Some(ids), off_list: false };
        rehearse(cx, caller, dialect, &groups, operation).await?;
    }
    for (conversation, group) in groups {
        match commit::commit(
            cx,
            caller,
            dialect,
            &conversation,
            &DeleteCopies { ids: Some(&group), off_list: false },
        )
        .await
        {
            Ok(()) => found = true,
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if found { Ok(()) } else { Err(NO_MESSAGE) }
}

/// Deletes the caller's own copies of everything that a conversation holds now; and takes it off the caller's
/// own list until something new comes, where that is wanted too.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn clear(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    conversation: &ConversationId,
    off_list: bool,
) -> Result<(), Error> {
    caller.user()?;
    commit::commit(cx, caller, dialect, conversation, &DeleteCopies { ids: None, off_list }).await
}

struct DeleteCopies<'a> {
    /// The messages; none: everything.
    ids: Option<&'a [MessageId]>,
    off_list: bool,
}

impl Operation for DeleteCopies<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        let user = seen.caller.user()?;
        if seen.conversation.visibility() != Visibility::Private {
            return Err(Error::Forbidden("An own copy can only be deleted in a private conversation."));
        }
        let Some(mut own) = seen.member.clone().filter(Member::is_active) else {
            return Err(Error::Forbidden("Only members of the conversation may do this."));
        };
        let mut gone = Ranges::default();
        match self.ids {
            None => gone.insert(domain::Seq(1), seen.tail.place.seq),
            Some(ids) => {
                let mut found = false;
                for id in ids {
                    let Some((entry, _)) = seen.store.message(id, true).await? else { continue };
                    let hidden = own.hidden.contains(entry.seq());
                    let here = entry.place.number == seen.conversation.number;
                    if here && (hidden || is_visible(seen, &entry)) {
                        found = true;
                        if !hidden {
                            gone.insert(entry.seq(), entry.seq());
                        }
                    }
                }
                if !found {
                    return Err(NO_MESSAGE);
                }
                if gone.is_empty() {
                    return Ok(Plan::Nothing(()));
                }
            }
        }
        for (from, to) in gone.iter() {
            own.hidden.insert(from, to);
        }
        if own.hidden.len() > limits::RANGES_PER_MEMBER {
            return Err(Error::invalid("messageIds", "too many scattered copies are deleted already"));
        }
        let entry = seen.entry(0, Event::CopiesDeleted { user: user.clone(), messages: gone })?;
        let mut writes = vec![member::put(&seen.conversation.id, &own)?];
        if self.off_list {
            writes.push(member::hide(&seen.conversation.id, user, entry.seq()));
        }
        Ok(Plan::Append(vec![entry], writes, ()))
    }
}

/// Gives a message other content: `edit` changes it. What a dialect cannot express it leaves alone.
///
/// # Errors
/// [`Error::NotFound`], [`Error::TooLarge`], [`Error::Forbidden`] unless by its author, or between two of whom one
/// blocks the other.
pub async fn edit(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &MessageId,
    edit: impl Fn(&mut Content) + Send + Sync,
) -> Result<Message, Error> {
    let conversation = conversation_of(cx, id).await?;
    commit::commit(cx, caller, dialect, &conversation, &EditMessage { id, edit }).await
}

struct EditMessage<'a, F> {
    id: &'a MessageId,
    edit: F,
}

impl<F: Fn(&mut Content) + Send + Sync> Operation for EditMessage<'_, F> {
    type Output = Message;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Message>, Error> {
        seen.actor().may_write(&seen.conversation, seen.at)?;
        if let Some(user) = &seen.caller.user {
            not_blocked(seen.store, &seen.conversation, user).await?;
        }
        let (origin, mut message) = find_visible(seen, self.id).await?;
        if message.state.recalled {
            return Err(NO_MESSAGE);
        }
        if seen.caller.user.as_ref() != Some(&message.author) && !seen.caller.powerful {
            return Err(Error::Forbidden("Only its author may edit a message."));
        }
        message.rewrite(&self.edit);
        check_size(&message.content, &message.audience)?;
        let entry = seen.entry(0, Event::MessageEdited(message.reference()))?;
        message.state.edited = Some(Edit { seq: entry.seq(), at: entry.at });
        Ok(Plan::Append(vec![entry], vec![message::put(&origin, message.clone())?], message))
    }
}
