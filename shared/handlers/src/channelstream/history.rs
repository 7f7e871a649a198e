//! A channel's own history, from the log.
//!
//! The original keeps a list: a message that comes pushes the oldest out when there are too many, and one that is
//! deleted makes room for the next, not for an older one. The log has all of them, so the list is made again from its
//! last part.

use std::collections::VecDeque;

use dialects::channelstream::{event, order::Echo};
use domain::{Conversation, Entry, Error, Event, Message, Seq, channel::Channel};
use store::log::Span;

use crate::{context::Context, invocation::REPLY_BYTES};

/// Entries that are read for a history, at most: what lies further back is not looked for.
const MOST_READ: usize = 2_000;
/// Entries that are read at once.
const MOST_AT_ONCE: usize = 500;

/// Bytes of all histories of one reply; the rest is for users and their states.
pub const MOST_BYTES: usize = REPLY_BYTES / 3 * 2;

/// The messages of a channel's history, oldest first: the newest of them that go into so many bytes.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn of(
    cx: &Context,
    conversation: &Conversation,
    channel: &Channel,
    bytes: usize,
) -> Result<Vec<Echo>, Error> {
    let size = usize::try_from(channel.settings.history_size).unwrap_or(usize::MAX);
    let mut stride = size.saturating_mul(2).clamp(20, MOST_AT_ONCE);
    let mut entries: VecDeque<Entry> = VecDeque::new();
    let mut span = Span::Before(None);
    loop {
        let page = cx.store.entries(conversation.number, span, stride, true).await?;
        let last = page.entries.last().map(Entry::seq);
        for entry in page.entries {
            entries.push_front(entry);
        }
        let (list, full) = replay(channel, entries.iter());
        match last {
            Some(last) if page.more && !full && entries.len() < MOST_READ => {
                span = Span::Before(Some(last));
                stride = (stride * 2).min(MOST_AT_ONCE);
            }
            _ => {
                let name = conversation.id.as_str();
                let list = list.into_iter().map(|message| Echo(event::history(message, name))).collect();
                return Ok(newest(list, bytes));
            }
        }
    }
}

/// The last of them, as many as go into so many bytes of JSON.
fn newest(mut list: Vec<Echo>, bytes: usize) -> Vec<Echo> {
    let mut left = bytes;
    let fits = |one: &&Echo| {
        let size = serde_json::to_vec(one).map_or(usize::MAX, |json| json.len() + 1);
        let rest = left.checked_sub(size);
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let kept = list.iter().rev().take_while(fits).count();
    list.split_off(list.len() - kept)
}

/// What these entries leave in the list, and whether they leave nothing of what came before them.
fn replay<'a>(channel: &Channel, entries: impl Iterator<Item = &'a Entry>) -> (VecDeque<&'a Message>, bool) {
    let mut list: VecDeque<(Seq, &Message)> = VecDeque::new();
    let mut full = false;
    for entry in entries {
        match &entry.event {
            Event::MessageCreated(message) if message.is_listed() && channel.keeps(entry.seq()) => {
                list.push_back((entry.seq(), message));
                if let Some(size) = channel.size_at(entry.seq()) {
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    full |= list.len() >= size;
                    list.drain(..list.len().saturating_sub(size));
                }
            }
            Event::MessageRecalled(reference) => list.retain(|(seq, _)| *seq != reference.seq),
            _ => {}
        }
    }
    // One that was deleted by a request that is under way is not there any more.
    let messages = list.into_iter().map(|(_, message)| message).filter(|message| !message.state.recalled);
    (messages.collect(), full)
}
