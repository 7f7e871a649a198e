//! Where a member stands in a conversation: what is unread, and what was last said.

use domain::{
    Conversation, Entry, Error, Event, Member, Message, Seq,
    visibility::{self, Reader},
};
use store::{Store, log::Span, member::Membership};

use super::reach::{self, Reach};

/// Entries of the first Query: enough for who is up to date.
const GLANCE: usize = 50;

/// Where a member stands in a conversation.
#[derive(Debug, Clone)]
pub struct Position {
    /// Messages that the member has not read.
    pub unread: u64,
    /// The newest message that the member may see and that was not recalled.
    pub last: Option<Message>,
    /// The end of the log.
    pub tail: Seq,
    /// The entry that last changed the settings, by what was read: if the settings in hand are older, they and
    /// the member's standing must be read again.
    pub settings: Seq,
}

/// Where the member stands: one Query for who is up to date. Who is further behind than a glance reaches is told
/// what there is among its entries.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn of(
    store: &Store,
    conversation: &Conversation,
    member: &Member,
    membership: &Membership,
) -> Result<Position, Error> {
    let reader = Reader { user: Some(&member.user), member: Some(member), powerful: false };
    let read = membership.read_up_to();
    let mut position = Position { unread: 0, last: None, tail: Seq(0), settings: Seq(0) };
    let (after, mut before, mut stride) = (visibility::nothing_up_to(reader), None, GLANCE);
    let mut reach = Reach::GLANCE;
    loop {
        let span = Span::Between(after, before);
        let page = store.entries(conversation.number, span, reach.take(stride), false).await?;
        for entry in &page.entries {
            position.tail = position.tail.max(entry.seq());
            position.settings = position.settings.max(entry.settings);
            let unread =
                entry.seq() > read && visibility::counts_unread(&conversation.openness, reader, entry);
            position.unread += u64::from(unread);
            if position.last.is_none()
                && let Event::MessageCreated(message) = &entry.event
                && !message.state.recalled
                && message.is_listed()
                && visibility::may_see(&conversation.openness, reader, entry)
            {
                position.last = Some(Message::clone(message));
            }
        }
        let Some(last) = page.entries.last().map(Entry::seq).filter(|_| page.more) else {
            return Ok(position);
        };
        if (last <= read && position.last.is_some()) || reach.is_over() {
            return Ok(position);
        }
        (before, stride) = (Some(last), reach::STRIDE);
    }
}
