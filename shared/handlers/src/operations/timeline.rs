//! A conversation's messages in the order in which they were written, newest first, a page at a time.
//!
//! Unlike `history`, an edit moves nothing, and what was recalled is left out.

use domain::{Entry, Error, Event, Message, MessageId, Seq};
use store::log::Span;

use super::{access::View, commit::NO_CONVERSATION};
use crate::context::Context;

/// Entries read at a time where it is not known how many will be needed.
const STRIDE: usize = 500;

/// The newest messages before an entry that the caller may see, all or the replies to one; and before which
/// entry the next page begins, if there is one.
///
/// # Errors
/// [`Error::NotFound`] if the conversation was just deleted; [`Error::Busy`], [`Error::Internal`].
pub async fn page(
    cx: &Context,
    view: &mut View<'_>,
    before: Option<Seq>,
    limit: usize,
    parent: Option<&MessageId>,
) -> Result<(Vec<Message>, Option<Seq>), Error> {
    let mut messages: Vec<Message> = Vec::with_capacity(limit);
    let mut span = Span::Before(before);
    // One more than wanted says whether there is a next page.
    let mut stride = if parent.is_some() { STRIDE } else { limit.saturating_add(1) };
    loop {
        let page = cx.store.entries(view.conversation.number, span, stride, true).await?;
        if page.entries.iter().any(|entry| matches!(entry.event, Event::ConversationDeleted)) {
            return Err(NO_CONVERSATION);
        }
        view.refresh(cx, &page.entries).await?;
        let last = page.entries.last().map(Entry::seq);
        for entry in page.entries {
            if !view.sees(&entry) {
                continue;
            }
            let Event::MessageCreated(message) = entry.event else { continue };
            let of_thread =
                |parent: &MessageId| message.content.parent.as_ref().is_some_and(|one| one.id == *parent);
            if message.state.recalled || !parent.is_none_or(of_thread) {
                continue;
            }
            if messages.len() == limit {
                let next = messages.last().map(|message| message.place.seq);
                return Ok((messages, next));
            }
            messages.push(*message);
        }
        match last {
            Some(last) if page.more => span = Span::Before(Some(last)),
            _ => return Ok((messages, None)),
        }
        stride = STRIDE;
    }
}
