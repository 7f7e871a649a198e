//! Reading a conversation's messages in the order in which they were written: what is said in it, or what is
//! replied to one message.
//!
//! A page costs one Query where nothing but messages of it lies between its ends.

use domain::{Entry, Error, Event, Message, Seq};
use store::log::Span;

use super::{access::View, commit::NO_CONVERSATION};
use crate::context::Context;

/// Entries read at a time where it is not known how many will be needed.
const STRIDE: usize = 500;
/// Bytes of text after which a page ends, full or not: a reply may have 6 MB, and texts grow when written as JSON.
const BYTES_PER_PAGE: usize = 2_000_000;
/// Bytes that a message takes beside its text.
const BYTES_PER_MESSAGE: usize = 1_000;

/// Which messages.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The replies to the message at this entry; none: what is no reply.
    pub thread: Option<Seq>,
    /// The entry to begin with, itself included; none: the oldest or the newest.
    pub cursor: Option<Seq>,
    /// From the cursor on to what was written later, or earlier.
    pub forward: bool,
    /// How many at most.
    pub limit: usize,
}

/// The messages that the caller may see and that were not recalled, the oldest first.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`]; [`Error::NotFound`] if the conversation was just deleted,
/// [`Error::Forbidden`] if the caller was just sent away.
pub async fn list(cx: &Context, view: &mut View<'_>, window: Window) -> Result<Vec<Message>, Error> {
    let first = window.thread.unwrap_or_default();
    let mut span = if window.forward {
        let from = window.cursor.map_or(0, |cursor| cursor.0.saturating_sub(1));
        Span::After(first.max(Seq(from)))
    } else {
        Span::Before(window.cursor.map(Seq::next))
    };
    let mut stride = window.limit.clamp(1, STRIDE);
    let (mut page, mut bytes) = (Vec::new(), 0);
    'log: loop {
        let read = cx.store.entries(view.conversation.number, span, stride, false).await?;
        let Some(last) = read.entries.last().map(Entry::seq) else { break };
        view.refresh(cx, &read.entries).await?;
        for entry in read.entries {
            if matches!(entry.event, Event::ConversationDeleted) {
                return Err(NO_CONVERSATION);
            }
            // Replies stand after what they reply to.
            if entry.seq() <= first && !window.forward {
                break 'log;
            }
            if !view.sees(&entry) {
                continue;
            }
            let Event::MessageCreated(message) = entry.event else { continue };
            let thread = message.content.parent.as_ref().map(|parent| parent.seq);
            if message.state.recalled || !message.is_listed() || thread != window.thread {
                continue;
            }
            bytes += BYTES_PER_MESSAGE + message.content.text.as_ref().map_or(0, String::len);
            page.push(*message);
            if page.len() >= window.limit || bytes >= BYTES_PER_PAGE {
                break 'log;
            }
        }
        if !read.more {
            break;
        }
        span = if window.forward { Span::After(last) } else { Span::Before(Some(last)) };
        stride = STRIDE;
    }
    if !window.forward {
        page.reverse();
    }
    Ok(page)
}
