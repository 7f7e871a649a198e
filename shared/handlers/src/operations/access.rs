//! May the caller look into a conversation, and with which eyes?

use domain::{Conversation, ConversationId, Entry, Error, Member, visibility};
use domain::{permission::Actor, visibility::Reader};

use super::commit::NO_CONVERSATION;
use crate::{auth::Caller, context::Context};

/// A conversation that the caller may look into.
#[derive(Debug)]
pub struct View<'a> {
    /// The conversation.
    pub conversation: Conversation,
    /// The caller's standing in it.
    pub member: Option<Member>,
    /// Who looks.
    pub caller: &'a Caller,
}

impl View<'_> {
    /// The caller as somebody who reads.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            user: self.caller.user.as_ref(),
            member: self.member.as_ref(),
            powerful: self.caller.powerful,
        }
    }

    /// The caller as somebody who acts.
    #[must_use]
    pub fn actor(&self) -> Actor<'_> {
        Actor {
            user: self.caller.user.as_ref(),
            member: self.member.as_ref(),
            powerful: self.caller.powerful,
        }
    }

    /// Whether the caller may see the entry.
    #[must_use]
    pub fn sees(&self, entry: &Entry) -> bool {
        visibility::may_see(&self.conversation.openness, self.reader(), entry)
    }
}

/// Looks at a conversation from outside: what one may know of it before joining. Anyone signed in may look at
/// one that is not private, except who is banned.
///
/// # Errors
/// As [`view`].
pub async fn glance<'a>(cx: &Context, caller: &'a Caller, id: &ConversationId) -> Result<View<'a>, Error> {
    let refused = match view(cx, caller, id).await {
        Err(error @ Error::Forbidden(_)) => error,
        other => return other,
    };
    let member = match &caller.user {
        Some(user) => cx.store.member(id, user).await?,
        None => None,
    };
    let Some(conversation) = cx.store.conversation(id, true).await? else { return Err(refused) };
    let member = member.filter(|member| member.number == conversation.number);
    let glance = View { conversation, member, caller };
    glance.actor().may_join(&glance.conversation, cx.clock.now()).map_err(|_error| refused)?;
    Ok(glance)
}

/// Looks into a conversation.
///
/// For a member it costs one consistent read, of the membership, and the settings once per process; for
/// others one more.
///
/// # Errors
/// [`Error::NotFound`] if there is none, [`Error::Forbidden`] if the caller may not look into it.
pub async fn view<'a>(cx: &Context, caller: &'a Caller, id: &ConversationId) -> Result<View<'a>, Error> {
    let member = match &caller.user {
        Some(user) => cx.store.member(id, user).await?,
        None => None,
    };
    if let Some(member) = &member
        && member.is_active()
        && let Some(conversation) = cx.store.conversation_seen(id).await?
        && conversation.number == member.number
        && !conversation.deleted
    {
        return Ok(View { conversation, member: Some(member.clone()), caller });
    }
    let Some(conversation) = cx.store.conversation(id, true).await? else { return Err(NO_CONVERSATION) };
    let member = member.filter(|member| member.number == conversation.number);
    let view = View { conversation, member, caller };
    if view.conversation.deleted {
        return Err(NO_CONVERSATION);
    }
    if !visibility::may_read(&view.conversation, view.reader(), cx.clock.now()) {
        return Err(Error::Forbidden("You are not a member of this conversation."));
    }
    Ok(view)
}
