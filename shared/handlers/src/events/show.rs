//! Gathers what a rendering needs to know: the numbers of users, and who has read what.

use std::collections::{BTreeMap, BTreeSet};

use dialects::events::{
    message::{ReadTimestamp, TextMessage, text_message},
    room::{self, Facts, Room},
};
use domain::{Conversation, Error, Member, Message, Role, User, UserId};
use store::{member::Membership, read_mark::ReadMark};

use crate::{
    context::Context,
    operations::{
        access::View,
        position::{self, Position},
    },
};

/// Readers that one message tells of, its author not counted, the last ones: a frame must fit API Gateway's
/// 128 KB, and a page of 200 messages Lambda's 6 MB.
const MOST_READERS: usize = 200;

/// Who has read the message: the last ones, in the order in which they did, and `always` if that is one of them.
#[must_use]
pub fn readers<'a>(
    marks: &'a BTreeMap<UserId, ReadMark>,
    message: &Message,
    always: Option<&UserId>,
) -> Vec<(&'a UserId, &'a ReadMark)> {
    let audience = &message.audience;
    let saw = |user: &UserId| {
        !audience.except.contains(user) && (audience.only.is_empty() || audience.only.contains(user))
    };
    let mut readers: Vec<_> = marks
        .iter()
        .filter(|(user, mark)| mark.seq >= message.place.seq && **user != message.author && saw(user))
        .collect();
    readers.sort_by_key(|(user, mark)| (std::cmp::Reverse(Some(*user) == always), -mark.at.millis()));
    readers.truncate(MOST_READERS);
    readers.sort_by_key(|(_, mark)| mark.at);
    readers
}

/// These messages, as the view's reader sees them.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn messages(
    cx: &Context,
    view: &View<'_>,
    messages: &[Message],
) -> Result<Vec<TextMessage>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let marks: BTreeMap<_, _> = cx.store.read_marks(view.conversation.number).await?.into_iter().collect();
    let always = view.caller.user.as_ref();
    let mut named: BTreeSet<UserId> = messages.iter().map(|message| message.author.clone()).collect();
    for message in messages {
        named.extend(readers(&marks, message, always).into_iter().map(|(user, _)| user.clone()));
    }
    let users = users(cx, named).await?;
    let shown = messages.iter().filter_map(|message| {
        let author = users.get(&message.author)?.number;
        let read: Vec<ReadTimestamp> = readers(&marks, message, always)
            .into_iter()
            .filter_map(|(user, mark)| {
                let user_id = users.get(user)?.number.0;
                Some(ReadTimestamp { read_utc: mark.at.millis(), user_id })
            })
            .collect();
        text_message(message, author, &read)
    });
    Ok(shown.collect())
}

/// The rooms of these memberships, by number: one Query each, whatever their number.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn rooms(cx: &Context, user: &UserId, memberships: Vec<Membership>) -> Result<Vec<Room>, Error> {
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};
    let ids: Vec<_> = memberships.iter().map(|membership| membership.conversation.clone()).collect();
    let (conversations, members) =
        futures_util::future::try_join(cx.store.conversations(&ids), cx.store.standings(user, &ids)).await?;
    let mut conversations: BTreeMap<_, _> = conversations.into_iter().map(|one| (one.number, one)).collect();
    let mut members: BTreeMap<_, _> = members.into_iter().map(|one| (one.number, one)).collect();
    let known = memberships.into_iter().filter_map(|membership| {
        let conversation = conversations.remove(&membership.number).filter(|one| !one.deleted)?;
        let member = members.remove(&membership.number).filter(|member| member.is_active())?;
        Some((conversation, member, membership))
    });
    let mut found: Vec<(Conversation, Member, Position)> = stream::iter(known)
        .map(|(conversation, member, membership)| async move {
            stand(cx, conversation, member, &membership).await
        })
        .buffered(store::directory::PARALLEL)
        .try_filter_map(|found| std::future::ready(Ok(found)))
        .try_collect()
        .await?;
    found.sort_by_key(|(conversation, ..)| conversation.number);
    let authors = found.iter().filter_map(|(.., position)| position.last.as_ref()).map(|last| &last.author);
    let peers = found.iter().filter_map(|(conversation, ..)| conversation.peer_of(user));
    let users = users(cx, authors.chain(peers).cloned().collect()).await?;
    let rooms = found.into_iter().map(|(conversation, member, position)| {
        let last = position.last.as_ref();
        let peer = conversation.peer_of(user).and_then(|peer| users.get(peer));
        let facts = Facts {
            peer_name: peer.map(|peer| peer.name.clone()),
            unread: position.unread,
            moderator: member.role >= Role::Moderator,
            pinned: member.pinned,
            last: last.and_then(|last| room::last_message(last, users.get(&last.author)?.number)),
        };
        room::room(&conversation, facts)
    });
    Ok(rooms.collect())
}

/// Where a member stands, by settings that are no older than what was read; none where the room is not on the
/// member's list.
async fn stand(
    cx: &Context,
    mut conversation: Conversation,
    mut member: Member,
    membership: &Membership,
) -> Result<Option<(Conversation, Member, Position)>, Error> {
    let mut position = position::of(&cx.store, &conversation, &member, membership).await?;
    if position.settings > conversation.changed {
        let id = &membership.conversation;
        let now = (cx.store.conversation(id, true).await?, cx.store.member(id, &member.user).await?);
        let (Some(conversation_now), Some(member_now)) = now else { return Ok(None) };
        if conversation_now.number != membership.number || conversation_now.deleted || !member_now.is_active()
        {
            return Ok(None);
        }
        (conversation, member) = (conversation_now, member_now);
        position = position::of(&cx.store, &conversation, &member, membership).await?;
    }
    // Taken off the own list, until something comes after it.
    let hidden = membership.hidden.is_some_and(|hidden| position.tail <= hidden);
    Ok((!hidden).then_some((conversation, member, position)))
}

/// The room, as a view's reader sees it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn room(cx: &Context, view: &View<'_>) -> Result<Room, Error> {
    let conversation = &view.conversation;
    if let Some(user) = &view.caller.user
        && let Some(membership) = cx.store.membership(user, &conversation.id).await?
        && let Some(room) = rooms(cx, user, vec![membership]).await?.pop()
    {
        return Ok(room);
    }
    Ok(room::room(conversation, Facts { moderator: view.caller.powerful, ..Facts::default() }))
}

async fn users(cx: &Context, ids: BTreeSet<UserId>) -> Result<BTreeMap<UserId, User>, Error> {
    Ok(cx.store.users(ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect())
}
