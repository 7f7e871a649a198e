//! A conversation's messages in the order in which they were written, newest first, a page at a time.
//!
//! Unlike in `history` an edit moves nothing; unlike in `transcript` replies stand among the rest, and a page says
//! where the next one begins.

use domain::{Entry, Error, Event, Message, Seq};
use store::log::Span;

use super::{access::View, commit::NO_CONVERSATION};
use crate::context::Context;

/// Entries read at a time where it is not known how many will be needed.
const STRIDE: usize = 500;
/// Bytes of text after which a page ends, full or not: a reply may have 6 MB, and texts grow when written as JSON.
const BYTES_PER_PAGE: usize = 2_000_000;

/// The newest messages before an entry that the caller may see, all or the replies to one, which stand after it; and
/// before which entry the next page begins, if there is one.
///
/// # Errors
/// [`Error::NotFound`] if the conversation was just deleted; [`Error::Busy`], [`Error::Internal`].
pub async fn page(
    cx: &Context,
    view: &mut View<'_>,
    before: Option<Seq>,
    limit: usize,
    parent: Option<&Message>,
) -> Result<(Vec<Message>, Option<Seq>), Error> {
    let mut messages: Vec<Message> = Vec::with_capacity(limit);
    let mut span = Span::Before(before);
    // One more than wanted says whether there is a next page.
    let mut bytes = 0;
    let mut stride = if parent.is_some() { STRIDE } else { limit.saturating_add(1) };
    loop {
        let page = cx.store.entries(view.conversation.number, span, stride, true).await?;
        if page.entries.iter().any(|entry| matches!(entry.event, Event::ConversationDeleted)) {
            return Err(NO_CONVERSATION);
        }
        view.refresh(cx, &page.entries).await?;
        let first = parent.map_or(Seq(0), |parent| parent.place.seq);
        let last = page.entries.last().map(Entry::seq).filter(|last| *last > first);
        for entry in page.entries {
            if !view.sees(&entry) {
                continue;
            }
            let Event::MessageCreated(message) = entry.event else { continue };
            let of_thread =
                |parent: &Message| message.content.parent.as_ref().is_some_and(|one| one.id == parent.id);
            if message.state.recalled || !message.is_listed() || !parent.is_none_or(of_thread) {
                continue;
            }
            if messages.len() == limit || bytes >= BYTES_PER_PAGE {
                let next = messages.last().map(|message| message.place.seq);
                return Ok((messages, next));
            }
            bytes += message.content.text.as_ref().map_or(0, String::len);
            messages.push(*message);
        }
        match last {
            Some(last) if page.more => span = Span::Before(Some(last)),
            _ => return Ok((messages, None)),
        }
        stride = STRIDE;
    }
}
