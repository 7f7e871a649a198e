//! May the caller look into a conversation, and with which eyes?

use domain::{Conversation, ConversationId, Entry, Error, Member, visibility};
use domain::{permission::Actor, visibility::Reader};

use super::commit::NO_CONVERSATION;
use crate::{auth::Caller, call, context::Context};

/// A conversation that the caller may look into.
#[derive(Debug)]
pub struct View<'a> {
    /// The conversation.
    pub conversation: Conversation,
    /// The caller's standing in it.
    pub member: Option<Member>,
    /// Who looks.
    pub caller: &'a Caller,
    /// The conversation is as this process saw it some time ago.
    pub seen_before: bool,
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

const NOT_A_MEMBER: Error = Error::Forbidden("You are not a member of this conversation.");

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
    let glance = View { conversation, member, caller, seen_before: false };
    glance.actor().may_join(&glance.conversation, cx.clock.now()).map_err(|_error| refused)?;
    Ok(glance)
}

impl View<'_> {
    /// Reads the settings again if these entries were written after a change that this process has not seen:
    /// every entry names the last change before it, so none is judged by settings older than itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the conversation was deleted.
    pub async fn refresh(&mut self, cx: &Context, entries: &[Entry]) -> Result<(), Error> {
        if entries.iter().any(|entry| entry.settings > self.conversation.changed) {
            self.reload(cx).await?;
        }
        if let Some(user) = &self.caller.user
            && entries.iter().any(|entry| entry.sends_away(user))
        {
            // Perhaps since the standing was read: what was written after it is not for this reader.
            let member = cx.store.member(&self.conversation.id, user).await?;
            self.member = member.filter(|member| member.number == self.conversation.number);
            if !visibility::may_read(&self.conversation, self.reader(), cx.clock.now()) {
                return Err(NOT_A_MEMBER);
            }
        }
        Ok(())
    }

    /// Reads the settings again.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the conversation was deleted.
    pub async fn reload(&mut self, cx: &Context) -> Result<(), Error> {
        let now = cx.store.conversation(&self.conversation.id, true).await?;
        let now = now.filter(|now| now.number == self.conversation.number && !now.deleted);
        self.conversation = now.ok_or(NO_CONVERSATION)?;
        Ok(())
    }
}

/// Looks into a conversation, as it is now. Two consistent reads.
///
/// # Errors
/// As [`view_log`].
pub async fn view<'a>(cx: &Context, caller: &'a Caller, id: &ConversationId) -> Result<View<'a>, Error> {
    let mut view = view_log(cx, caller, id).await?;
    if view.seen_before {
        view.reload(cx).await?;
    }
    Ok(view)
}

/// Looks into a conversation whose log is to be read next. Its settings may be those that this process saw
/// before another one changed them: [`View::refresh`] with what was read.
///
/// For a member it costs one consistent read, of the membership, and the settings once per process; for
/// others one more.
///
/// # Errors
/// [`Error::NotFound`] if there is none, [`Error::Forbidden`] if the caller may not look into it.
pub async fn view_log<'a>(cx: &Context, caller: &'a Caller, id: &ConversationId) -> Result<View<'a>, Error> {
    call::is_about(id);
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
        return Ok(View { conversation, member: Some(member.clone()), caller, seen_before: true });
    }
    let Some(conversation) = cx.store.conversation(id, true).await? else { return Err(NO_CONVERSATION) };
    let member = member.filter(|member| member.number == conversation.number);
    let view = View { conversation, member, caller, seen_before: false };
    if view.conversation.deleted {
        return Err(NO_CONVERSATION);
    }
    if !visibility::may_read(&view.conversation, view.reader(), cx.clock.now()) {
        return Err(NOT_A_MEMBER);
    }
    Ok(view)
}
