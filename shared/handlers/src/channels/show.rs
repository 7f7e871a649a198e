//! What the REST answers with: names looked up, and a page of messages read.

use std::collections::{BTreeMap, BTreeSet};

use dialects::channels::{
    channel::Page,
    member::{self, Membership},
    message::{self, Text},
};
use domain::{ConversationId, Error, Member, Message, MessageId, Seq, UserId};

use super::request::{Request, cursor_of};
use crate::{
    context::Context,
    operations::{
        access::View,
        commit::NO_CONVERSATION,
        messages::{self, NO_MESSAGE},
        timeline,
    },
};

/// What these users are called; those who do not exist are left out.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn names(
    cx: &Context,
    users: impl IntoIterator<Item = &UserId>,
) -> Result<BTreeMap<UserId, String>, Error> {
    let users: BTreeSet<UserId> = users.into_iter().cloned().collect();
    let found = cx.store.users(users).await?;
    Ok(found.into_iter().map(|user| (user.id, user.name)).collect())
}

/// A message, its author named.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn text(cx: &Context, channel: &ConversationId, message: &Message) -> Result<Text, Error> {
    let name = cx.store.user(&message.author).await?.map(|user| user.name);
    Ok(message::text(channel, message, name))
}

/// A member, named.
///
/// # Errors
/// [`Error::NotFound`] if the user is none; [`Error::Busy`], [`Error::Internal`].
pub async fn member(cx: &Context, channel: &ConversationId, user: &UserId) -> Result<Membership, Error> {
    let found = cx.store.member(channel, user).await?.filter(Member::is_active);
    let found = found.ok_or(Error::NotFound("Member"))?;
    let name = cx.store.user(user).await?.map(|user| user.name);
    Ok(member::membership(&found, name))
}

/// A page of a channel's messages, newest first: all, or the replies to one.
///
/// # Errors
/// [`Error::Invalid`] for a cursor of another list.
pub async fn texts(
    cx: &Context,
    request: &Request,
    view: &mut View<'_>,
    parent: Option<&Message>,
) -> Result<Page<Text>, Error> {
    let life = view.conversation.number.0.to_string();
    let before = match request.cursor()? {
        None => None,
        Some((seq, of)) if of == life => Some(Seq(seq)),
        Some(_) => return Err(Error::invalid("cursor", "is of another list")),
    };
    let (messages, next) = timeline::page(cx, view, before, request.limit()?, parent).await?;
    let names = names(cx, messages.iter().map(|message| &message.author)).await?;
    let id = view.conversation.id.clone();
    let data = messages.iter().map(|one| message::text(&id, one, names.get(&one.author).cloned())).collect();
    Ok(Page { data, next_cursor: next.map(|seq| cursor_of(seq.0, &life)) })
}

/// How the user stands to the channel now; none if the user never had to do with it.
///
/// # Errors
/// [`Error::NotFound`] if there is no such channel.
pub async fn standing(
    cx: &Context,
    channel: &ConversationId,
    user: &UserId,
) -> Result<Option<Member>, Error> {
    let conversation = cx.store.conversation(channel, true).await?.filter(|one| !one.deleted);
    let conversation = conversation.ok_or(NO_CONVERSATION)?;
    let member = cx.store.member(channel, user).await?;
    Ok(member.filter(|member| member.number == conversation.number))
}

/// Refuses a message that is not in the channel.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn is_in(cx: &Context, channel: &ConversationId, message: &MessageId) -> Result<(), Error> {
    if messages::conversation_of(cx, message).await? == *channel { Ok(()) } else { Err(NO_MESSAGE) }
}
