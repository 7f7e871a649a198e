//! Where messages are to go: into conversations, or to users with whom there may be no conversation yet.
//!
//! One is only made for messages that will be in it: what they would be refused for is asked before, and of several
//! targets before the first of them is touched.

use domain::{ConversationId, Dialect, Error, UserId};

use super::{
    block::not_between,
    create::{self, NewConversation},
    messages::NO_MESSAGE,
    send::{self, Draft, TAKEN, check_size},
};
use crate::{auth::Caller, context::Context};

/// The one-to-one conversation of the caller and this user, made now if they had none and these messages may be
/// written into it.
///
/// # Errors
/// As [`create::direct`]; and, if they have none, as [`send::send`] would refuse the messages.
pub async fn direct(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    user: &UserId,
    drafts: &[Draft],
    new: NewConversation,
) -> Result<ConversationId, Error> {
    if let Some(id) = create::standing(cx, caller, user).await? {
        return Ok(id);
    }
    may_begin(cx, caller, user, drafts).await?;
    Ok(create::direct(cx, caller, dialect, user, new).await?.id)
}

/// These conversations, and those with these users, each once: the same messages may be written into all of them.
///
/// # Errors
/// As [`direct`] and [`send::may_send`]: then none is made.
pub async fn all(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    (mut found, users): (Vec<ConversationId>, Vec<UserId>),
    drafts: &[Draft],
    new: &NewConversation,
) -> Result<Vec<ConversationId>, Error> {
    for draft in drafts {
        check_size(&draft.content, &draft.audience)?;
    }
    for id in &found {
        send::may_send(cx, caller, id).await?;
    }
    for user in &users {
        match create::standing(cx, caller, user).await? {
            Some(id) => send::may_send(cx, caller, &id).await?,
            None => may_begin(cx, caller, user, drafts).await?,
        }
    }
    create::known_users(cx, caller, dialect, &users).await?;
    for user in &users {
        found.push(create::direct(cx, caller, dialect, user, new.clone()).await?.id);
    }
    let mut once = Vec::with_capacity(found.len());
    for id in found {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    Ok(once)
}

/// Refuses messages that could not be the first ones between the caller and this user.
async fn may_begin(cx: &Context, caller: &Caller, user: &UserId, drafts: &[Draft]) -> Result<(), Error> {
    for draft in drafts {
        check_size(&draft.content, &draft.audience)?;
        // Where nothing is, there is nothing to reply to.
        if draft.parent_id.is_some() {
            return Err(NO_MESSAGE);
        }
    }
    not_between(&cx.store, caller.user()?, user).await?;
    for id in drafts.iter().filter_map(|draft| draft.id.as_ref()) {
        // It is taken by another message; unless it was sent twice, and the other one was faster.
        if cx.store.message(id, true).await?.is_some() && create::standing(cx, caller, user).await?.is_none()
        {
            return Err(TAKEN);
        }
    }
    Ok(())
}
