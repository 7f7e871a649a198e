//! What replies tell of channels and users.

use std::collections::{BTreeMap, BTreeSet};

use dialects::channelstream::{
    info::{self, ChannelInfo, ChannelsInfo, Facts, UserInfo},
    request::Wanted,
};
use domain::{
    Conversation, ConversationId, Error, MessageId, Place, Seq, Topic, UserId,
    channel::{Channel, UserState},
    ids::Nonce,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{directory::PARALLEL, log::Span};

use super::{attendance, history};
use crate::context::Context;

/// What is wanted of these channels; those that there are not are left out.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn channels_info(
    cx: &Context,
    channels: &[ConversationId],
    wanted: &Wanted,
) -> Result<ChannelsInfo, Error> {
    let ids: BTreeSet<&ConversationId> = channels.iter().collect();
    let ids = ids.into_iter().filter(|id| !wanted.exclude_channels.iter().any(|one| one == id.as_str()));
    let ids: Vec<ConversationId> = ids.cloned().collect();
    let mut settings: BTreeMap<ConversationId, Channel> =
        cx.store.channels(&ids).await?.into_iter().collect();
    let conversations = conversations(cx, &ids).await?;
    let facts: Vec<(Conversation, Option<Channel>)> = conversations
        .into_iter()
        .map(|one| {
            let channel = settings.remove(&one.id).filter(|channel| channel.number == one.number);
            (one, channel)
        })
        .collect();
    let share = history::MOST_BYTES / facts.len().max(1);
    let told: Vec<ChannelInfo> = stream::iter(facts)
        .map(|(conversation, channel)| async move {
            channel_info(cx, &conversation, channel, wanted, share).await
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    let users: BTreeSet<UserId> = told.iter().flat_map(ChannelInfo::users).map(UserId::trusted).collect();
    let states: BTreeMap<UserId, UserState> =
        cx.store.user_states(&users, cx.clock.now()).await?.into_iter().collect();
    let users = users.into_iter().map(|user| {
        let state = states
            .get(&user)
            .map(|state| if wanted.return_public_state { state.public() } else { state.state.clone() });
        UserInfo { user: user.as_str().to_owned(), state: state.unwrap_or_default() }
    });
    let users = users.collect();
    Ok(ChannelsInfo { channels: told.into_iter().map(|one| (one.name().to_owned(), one)).collect(), users })
}

/// As they are now: they may have been made a moment ago.
async fn conversations(cx: &Context, ids: &[ConversationId]) -> Result<Vec<Conversation>, Error> {
    let found: Vec<Option<Conversation>> = stream::iter(ids.to_vec())
        .map(|id| async move { cx.store.conversation(&id, true).await })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().filter(|one| !one.deleted).collect())
}

async fn channel_info(
    cx: &Context,
    conversation: &Conversation,
    channel: Option<Channel>,
    wanted: &Wanted,
    share: usize,
) -> Result<ChannelInfo, Error> {
    let listeners = attendance::alive(cx, &Topic::Conversation(conversation.id.clone())).await?;
    let users: BTreeSet<&str> = listeners.iter().map(|one| one.connection.user.as_str()).collect();
    let page = cx.store.entries(conversation.number, Span::Before(None), 1, true).await?;
    let last = page.entries.first();
    // The first entry is the making of it.
    let last = last.filter(|entry| entry.seq() > Seq(1)).map(|entry| entry.at);
    let active = channel.as_ref().map_or(conversation.created_at, |channel| channel.active);
    let history = match &channel {
        Some(channel) if wanted.include_history && channel.has_history() => {
            history::of(cx, conversation, channel, share).await?
        }
        _ => Vec::new(),
    };
    Ok(info::channel(Facts {
        uuid: uuid(conversation),
        name: conversation.id.as_str().to_owned(),
        title: conversation.title.clone(),
        settings: channel.map(|channel| channel.settings).unwrap_or_default(),
        history,
        active: last.map_or(active, |last| last.max(active)),
        connections: listeners.len(),
        users: if wanted.include_users { users.into_iter().map(str::to_owned).collect() } else { Vec::new() },
    }))
}

/// Names a life of a conversation.
fn uuid(conversation: &Conversation) -> String {
    let random = u64::from_str_radix(&conversation.epoch, 16).unwrap_or_default();
    let place = Place { number: conversation.number, seq: Seq(0) };
    MessageId::mint(place, Nonce::new(random)).as_str().to_owned()
}
