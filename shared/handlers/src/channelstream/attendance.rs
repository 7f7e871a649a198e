//! Who listens to what: channels come into being, listeners come and go, and others are told.

use std::collections::{BTreeMap, BTreeSet};

use dialects::channelstream::{event, request::Configs};
use domain::{
    Conversation, ConversationId, Dialect, Error, Number, Object, Seq, Timestamp, Topic, UserId, Visibility,
    channel::{Channel, Settings, UserState},
    message::Audience,
    visibility::{self, Reader},
};
use store::{connection::Connection, listener::Listener, signal::Signal, subscription::Subscription};

use super::request::SERVER;
use crate::{
    context::Context,
    operations::create::{self, NewConversation},
};

/// The conversation of that name, an open one made now if there was none.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn open(cx: &Context, id: &ConversationId) -> Result<Conversation, Error> {
    if let Some(standing) = cx.store.conversation(id, true).await?.filter(|one| !one.deleted) {
        return Ok(standing);
    }
    let new = NewConversation {
        id: Some(id.clone()),
        title: None,
        description: None,
        visibility: Visibility::Open,
        members: Vec::new(),
        custom_type: None,
        image_url: None,
        config: Object::new(),
        meta: Object::new(),
        claimed_at: None,
    };
    match create::create(cx, &SERVER, Dialect::Channelstream, new).await {
        // Somebody else was faster.
        Err(Error::Exists(_)) => cx.store.conversation(id, true).await?.ok_or(Error::Busy),
        other => other,
    }
}

/// The conversation's channel, made now with these settings if it was none. The history of a conversation that
/// was there before Channelstream heard of it begins with it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn channel(
    cx: &Context,
    conversation: &Conversation,
    settings: Option<Settings>,
) -> Result<Channel, Error> {
    let (id, life) = (&conversation.id, conversation.number);
    if let Some(known) = cx.store.channel(id, life).await? {
        return Ok(known);
    }
    let channel = Channel::new(life, settings.unwrap_or_default(), Seq(1), cx.clock.now());
    if cx.store.create_channel(id, &channel).await? {
        return Ok(channel);
    }
    cx.store.channel(id, life).await?.ok_or(Error::Busy)
}

/// The listeners of a topic that are alive.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn alive(cx: &Context, topic: &Topic) -> Result<Vec<Subscription>, Error> {
    let now = cx.clock.now();
    let mut subscriptions = cx.store.subscribers(topic, now).await?;
    subscriptions.retain(|one| one.connection.dialect == Dialect::Channelstream);
    // Who has a socket lives for as long as that does.
    let silent = subscriptions.iter().filter(|one| one.detail.is_none());
    let silent: Vec<&str> = silent.map(|one| one.connection.id.as_str()).collect();
    if silent.is_empty() {
        return Ok(subscriptions);
    }
    let alive = cx.store.listeners(&silent, now).await?;
    let alive: BTreeSet<String> = alive.into_iter().map(|listener| listener.id).collect();
    subscriptions.retain(|one| one.detail.is_some() || alive.contains(&one.connection.id));
    Ok(subscriptions)
}

/// Lets the listeners of these channels go that were silent for too long. There is no clock that would do it when
/// their time is over: it is done when somebody asks.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn sweep(cx: &Context, channels: &[ConversationId]) -> Result<(), Error> {
    let now = cx.clock.now();
    let mut silent: BTreeMap<String, UserId> = BTreeMap::new();
    for id in channels {
        for one in cx.store.subscribers(&Topic::Conversation(id.clone()), now).await? {
            if one.connection.dialect == Dialect::Channelstream && one.detail.is_none() {
                silent.insert(one.connection.id, one.connection.user);
            }
        }
    }
    if silent.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = silent.keys().map(String::as_str).collect();
    for alive in cx.store.listeners(&ids, now).await? {
        silent.remove(&alive.id);
    }
    for (id, user) in silent {
        leave(cx, &id, &user).await?;
    }
    Ok(())
}

/// Lets a listener hear these channels, in order. Says which of them it does not hear already, and may hear.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn subscribe(
    cx: &Context,
    listener: &Listener,
    channels: &[ConversationId],
    configs: &Configs,
) -> Result<Vec<ConversationId>, Error> {
    let heard: BTreeSet<ConversationId> = channels_of(cx, &listener.id).await?.into_iter().collect();
    let mut subscribed = Vec::new();
    for id in channels {
        let conversation = open(cx, id).await?;
        let settings = configs.iter().find(|(name, _)| name == id.as_str()).map(|(_, settings)| *settings);
        let channel = channel(cx, &conversation, settings).await?;
        if heard.contains(id)
            || subscribed.contains(id)
            || !may_listen(cx, &conversation, &listener.user).await?
        {
            continue;
        }
        if channel.settings.notify_presence {
            let others = alive(cx, &Topic::Conversation(id.clone())).await?;
            if others.iter().all(|other| other.connection.user != listener.user) {
                tell_presence(cx, id, &channel, &listener.user, true, &others).await?;
            }
        }
        hear(cx, listener, &Topic::Conversation(id.clone())).await?;
        subscribed.push(id.clone());
    }
    Ok(subscribed)
}

/// Subscribes a listener to a topic; its socket, if it has one, is what frames are posted to.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn hear(cx: &Context, listener: &Listener, topic: &Topic) -> Result<(), Error> {
    let connection = Connection {
        id: listener.id.clone(),
        user: listener.user.clone(),
        dialect: Dialect::Channelstream,
        since: listener.since,
        arrays: false,
    };
    cx.store.subscribe(&connection, topic, listener.told_at(), cx.clock.now()).await
}

/// Whether the user may listen. Whoever may not was refused by settings and a standing that were true at one moment:
/// who leaves a conversation that was just opened is not.
async fn may_listen(cx: &Context, conversation: &Conversation, user: &UserId) -> Result<bool, Error> {
    let (id, life) = (&conversation.id, conversation.number);
    let mut conversation = conversation.clone();
    loop {
        let member = cx.store.member(id, user).await?.filter(|member| member.number == life);
        let reader = Reader { user: Some(user), member: member.as_ref(), powerful: false };
        if visibility::may_read(&conversation, reader, cx.clock.now()) {
            return Ok(true);
        }
        let now = cx.store.conversation(id, true).await?.filter(|now| now.number == life);
        match now {
            Some(now) if now.changed != conversation.changed => conversation = now,
            _ => return Ok(false),
        }
    }
}

/// The channels that a listener hears, sorted.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn channels_of(cx: &Context, listener: &str) -> Result<Vec<ConversationId>, Error> {
    let topics = cx.store.topics(listener).await?;
    let mut channels: Vec<ConversationId> = topics
        .into_iter()
        .filter_map(|topic| match topic {
            Topic::Conversation(id) => Some(id),
            Topic::User(_) | Topic::Global => None,
        })
        .collect();
    channels.sort();
    Ok(channels)
}

/// Lets a listener hear these channels no longer. Says which of them it heard.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn unsubscribe(
    cx: &Context,
    listener: &Listener,
    channels: &[ConversationId],
) -> Result<Vec<ConversationId>, Error> {
    let heard = channels_of(cx, &listener.id).await?;
    let left: Vec<ConversationId> = heard.into_iter().filter(|id| channels.contains(id)).collect();
    for id in &left {
        cx.store.unsubscribe(&listener.id, &Topic::Conversation(id.clone())).await?;
    }
    part(cx, &listener.user, &left).await?;
    Ok(left)
}

/// Ends a listener, and tells the channels that it heard. Says whether there was one.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn leave(cx: &Context, listener: &str, user: &UserId) -> Result<bool, Error> {
    let ended = cx.store.end_listener(listener).await?;
    let channels = channels_of(cx, listener).await?;
    cx.store.remove_connection(listener).await?;
    part(cx, user, &channels).await?;
    Ok(ended)
}

/// Tells channels that a user has gone, where no other listener of that user is left.
async fn part(cx: &Context, user: &UserId, channels: &[ConversationId]) -> Result<(), Error> {
    if channels.is_empty() {
        return Ok(());
    }
    for (id, channel) in cx.store.channels(channels).await? {
        if channel.settings.notify_presence {
            let others = alive(cx, &Topic::Conversation(id.clone())).await?;
            if others.iter().all(|other| other.connection.user != *user) {
                tell_presence(cx, &id, &channel, user, false, &others).await?;
            }
        }
    }
    Ok(())
}

async fn tell_presence(
    cx: &Context,
    id: &ConversationId,
    channel: &Channel,
    user: &UserId,
    joined: bool,
    others: &[Subscription],
) -> Result<(), Error> {
    let now = cx.clock.now();
    let mut there: BTreeSet<&UserId> = others.iter().map(|other| &other.connection.user).collect();
    if joined {
        there.insert(user);
    }
    let wanted: Vec<&UserId> = if channel.settings.broadcast_presence_with_user_lists {
        there.into_iter().collect()
    } else {
        Vec::new()
    };
    let states: BTreeMap<UserId, UserState> =
        cx.store.user_states(wanted.iter().copied().chain([user]), now).await?.into_iter().collect();
    let public = |user: &UserId| states.get(user).map(UserState::public).unwrap_or_default();
    let users = event::users(wanted.into_iter().map(|user| (user.as_str(), public(user))));
    let own = states.get(user).cloned().unwrap_or_default();
    let uuid = uuid::Uuid::new_v4().to_string();
    let told = event::presence(&uuid, id.as_str(), user.as_str(), joined.then_some(&own), &users, now);
    let audience = Audience { except: [user.clone()].into(), ..Audience::default() };
    tell(cx, channel.number, uuid, audience, told, now).await?;
    cx.store.touch_channel(id, now).await
}

/// Tells the listeners of a log something that only this dialect has words for.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn tell(
    cx: &Context,
    number: Number,
    id: String,
    audience: Audience,
    event: Object,
    at: Timestamp,
) -> Result<(), Error> {
    let signal = Signal::Told { dialect: Dialect::Channelstream, id, audience, event, at };
    cx.store.signal(number, &signal, at).await
}
