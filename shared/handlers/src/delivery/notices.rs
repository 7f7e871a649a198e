//! Notices that follow from entries: a ban is also told to the banned, a new conversation to everybody.
//!
//! They are written to logs of their own, and come back through the stream.

use domain::{
    ConversationId, Entry, Error, Event, Topic, UserId, Visibility,
    entry::{Departure, Notice},
};

use crate::{context::Context, operations::notice};

/// Writes the notices that follow from an entry of this conversation, each once.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn follow(cx: &Context, id: &ConversationId, entry: &Entry) -> Result<(), Error> {
    let by = (entry.actor.as_ref(), entry.dialect);
    let conversation = id.clone();
    let (user, told) = match &entry.event {
        Event::Banned { user, motive, .. } => (user, Notice::Banned { conversation, motive: motive.clone() }),
        Event::Unbanned { user, motive } => (user, Notice::Unbanned { conversation, motive: motive.clone() }),
        Event::MembersRemoved { members, how: Departure::Kicked, .. } => {
            let [user] = members.as_slice() else { return kicked(cx, &conversation, members, entry).await };
            (user, Notice::Kicked { conversation })
        }
        Event::ConversationCreated { title, direct: false, .. } => {
            let made = cx.store.conversation(id, true).await?;
            let is_private = |one: &domain::Conversation| one.openness.at(entry.seq()) == Visibility::Private;
            if made.is_none_or(|one| one.number != entry.place.number || is_private(&one)) {
                return Ok(());
            }
            let told = Notice::ConversationCreated { conversation, title: title.clone() };
            return notice::tell(cx, &Topic::Global, &told, by, Some(entry.place)).await;
        }
        _ => return Ok(()),
    };
    notice::tell(cx, &Topic::User(user.clone()), &told, by, Some(entry.place)).await
}

/// Several users of one entry: only the last of their notices says that all were told, so that a batch that
/// comes again may tell some of them twice, but leaves nobody out.
async fn kicked(cx: &Context, id: &ConversationId, members: &[UserId], entry: &Entry) -> Result<(), Error> {
    let by = (entry.actor.as_ref(), entry.dialect);
    let last = members.len().saturating_sub(1);
    for (n, user) in members.iter().enumerate() {
        let told = Notice::Kicked { conversation: id.clone() };
        let once = (n == last).then_some(entry.place);
        notice::tell(cx, &Topic::User(user.clone()), &told, by, once).await?;
    }
    Ok(())
}
