//! Reactions and pins: changes of what stands beside a message, not of what it says.

use domain::{Dialect, Entry, Error, Event, Message, MessageId, Role, entry::Reaction, limits};
use store::{Write, message};

use super::{NO_MESSAGE, conversation_of};
use crate::{
    auth::Caller,
    context::Context,
    operations::{
        block::not_blocked,
        commit::{self, Operation, Plan, Seen},
        send::{find, is_visible},
    },
};

/// A change of one message.
#[derive(Debug, Clone)]
pub enum Change {
    /// Adds the caller's reaction of this type, once.
    React(String),
    /// Takes the caller's reaction of this type back.
    Unreact(String),
    /// Pins it.
    Pin,
    /// Unpins it.
    Unpin,
}

/// Changes one message. What is so already is no error.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] for a reaction that is none or one too many.
pub async fn change(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &MessageId,
    change: Change,
) -> Result<(), Error> {
    if let Change::React(kind) | Change::Unreact(kind) = &change
        && (kind.is_empty() || kind.len() > limits::REACTION_BYTES || kind.chars().any(char::is_control))
    {
        return Err(Error::invalid("type", format!("must have 1 to {} bytes", limits::REACTION_BYTES)));
    }
    let conversation = conversation_of(cx, id).await?;
    commit::commit(cx, caller, dialect, &conversation, &ChangeMessage { id, change }).await
}

struct ChangeMessage<'a> {
    id: &'a MessageId,
    change: Change,
}

impl Operation for ChangeMessage<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        // Whoever guesses ids does not learn which conversations there are.
        let found = find(seen, self.id).await?;
        match self.change {
            Change::React(_) | Change::Unreact(_) => seen.actor().may_write(&seen.conversation, seen.at)?,
            Change::Pin | Change::Unpin => seen.actor().needs(Role::Admin)?,
        }
        // A reaction says something; a pin says nothing, and no client is told of it.
        if let (Change::React(_), Some(user)) = (&self.change, &seen.caller.user) {
            not_blocked(seen.store, &seen.conversation, user).await?;
        }
        let (entry, mut message) = found;
        if !is_visible(seen, &entry) {
            return Err(NO_MESSAGE);
        }
        // What was recalled takes nothing new, but gives up what it has.
        if message.state.recalled && matches!(self.change, Change::React(_) | Change::Pin) {
            return Err(NO_MESSAGE);
        }
        let Some(event) = self.apply(seen, &mut message)? else { return Ok(Plan::Nothing(())) };
        let change: Entry = seen.entry(0, event)?;
        let write: Write = message::put(&entry, message)?;
        Ok(Plan::Append(vec![change], vec![write], ()))
    }
}

impl ChangeMessage<'_> {
    /// Changes the message, and says what happened; nothing if it is so already.
    fn apply(&self, seen: &Seen<'_>, message: &mut Message) -> Result<Option<Event>, Error> {
        let reference = message.reference();
        Ok(match &self.change {
            Change::React(kind) => {
                let user = seen.caller.user()?.clone();
                let all: usize = message.state.reactions.values().map(Vec::len).sum();
                let users = message.state.reactions.entry(kind.clone()).or_default();
                if users.contains(&user) {
                    return Ok(None);
                }
                if all >= limits::REACTIONS_PER_MESSAGE {
                    return Err(Error::invalid("type", "the message has as many reactions as it can keep"));
                }
                users.push(user.clone());
                let state = serde_json::to_vec(&message.state);
                let bytes = state.map_err(|error| Error::Internal(format!("JSON: {error}")))?.len();
                if bytes > limits::STATE_BYTES {
                    return Err(Error::invalid("type", "the message has as many reactions as it can keep"));
                }
                Some(Event::ReactionAdded(Reaction { message: reference, user, kind: kind.clone() }))
            }
            Change::Unreact(kind) => {
                let user = seen.caller.user()?.clone();
                let Some(users) = message.state.reactions.get_mut(kind) else { return Ok(None) };
                let Some(at) = users.iter().position(|one| *one == user) else { return Ok(None) };
                users.remove(at);
                if users.is_empty() {
                    message.state.reactions.remove(kind);
                }
                Some(Event::ReactionRemoved(Reaction { message: reference, user, kind: kind.clone() }))
            }
            Change::Pin if message.state.pinned => None,
            Change::Pin => {
                message.state.pinned = true;
                Some(Event::MessagePinned(reference))
            }
            Change::Unpin if !message.state.pinned => None,
            Change::Unpin => {
                message.state.pinned = false;
                Some(Event::MessageUnpinned(reference))
            }
        })
    }
}
