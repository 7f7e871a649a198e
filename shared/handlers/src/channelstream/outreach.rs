//! What sending, editing and deleting have in common: who is reached, and what is echoed.

use std::collections::BTreeMap;

use dialects::channelstream::{message::audience, request::Delivery};
use domain::{
    Dialect, Error, Object, Timestamp, Topic, UserId, limits,
    message::{Audience, Content},
};
use serde_json::json;

use super::{
    attendance,
    request::{SERVER, conversation, user},
};
use crate::{
    context::Context,
    operations::{
        notice,
        relay::{self, Revision},
    },
};

/// The places in a list of what goes to each channel, in order; and to none. What comes first in the list is the
/// first group.
pub fn by_channel<'a>(channels: impl Iterator<Item = Option<&'a str>>) -> Vec<(Option<&'a str>, Vec<usize>)> {
    let mut groups: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, channel) in channels.enumerate() {
        groups.entry(channel).or_default().push(index);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(_, one), (_, other)| one.first().cmp(&other.first()));
    groups
}

/// Tells all connections of these users, wherever they listen. Users who are not known are left out.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn tell_users(cx: &Context, names: &[String], event: &Object, at: Timestamp) -> Result<(), Error> {
    let users: Vec<UserId> = names.iter().map(|name| user(name)).collect();
    for (user, _) in cx.store.user_states(&users, cx.clock.now()).await? {
        let log = notice::log_of(cx, &Topic::User(user)).await?;
        let id = uuid::Uuid::new_v4().to_string();
        attendance::tell(cx, log.number, id, Audience::default(), event.clone(), at).await?;
    }
    Ok(())
}

/// Revises messages of a channel; what is not there is told all the same, as `told` says it. Says when each was.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Busy`], [`Error::Internal`].
pub async fn revise<'a>(
    cx: &Context,
    name: &str,
    revisions: &[Revision],
    told: impl Fn(usize, Timestamp) -> Option<(&'a Delivery, Object)> + Send,
) -> Result<Vec<Timestamp>, Error> {
    let id = conversation(name);
    let now = cx.clock.now();
    let done = match relay::revise(cx, &SERVER, Dialect::Channelstream, &id, revisions).await {
        // There is no such channel: nobody listens.
        Err(Error::NotFound(_)) => return Ok(vec![now; revisions.len()]),
        other => other?,
    };
    let mut times = Vec::with_capacity(done.len());
    for (index, at) in done.into_iter().enumerate() {
        if at.is_none()
            && let Some(conversation) = cx.store.conversation_seen(&id).await?
            && let Some((delivery, event)) = told(index, now)
        {
            let audience = audience(&delivery.pm_users, &delivery.exclude_users);
            let uuid = uuid::Uuid::new_v4().to_string();
            attendance::tell(cx, conversation.number, uuid, audience, event, now).await?;
        }
        times.push(at.unwrap_or(now));
    }
    Ok(times)
}

/// What every echo says.
#[must_use]
pub fn echo(delivery: &Delivery, uuid: &str) -> Object {
    let echo = json!({
        "pm_users": delivery.pm_users,
        "exclude_users": delivery.exclude_users,
        "channel": delivery.channel,
        "no_history": delivery.no_history,
        "uuid": uuid,
    });
    echo.as_object().cloned().unwrap_or_default()
}

/// Refuses a message whose frame would be too large.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_size(content: &Content) -> Result<(), Error> {
    let text = content.text.as_ref().map_or(0, String::len);
    let rest = serde_json::to_vec(content).map_or(0, |json| json.len());
    if text + rest > limits::MESSAGE_BYTES {
        return Err(Error::TooLarge { what: "The message", limit: limits::MESSAGE_BYTES });
    }
    Ok(())
}
