//! Reading a conversation's messages: filtered, in the order in which they were last written.
//!
//! The order is the log's own: a message stands at the entry that last wrote it, its creation or its last
//! edit. A page without filters costs one Query. A filter reads the log until the page is full, or as far as the
//! call reaches; never what stands before own copies that were all deleted.

use std::collections::BTreeSet;

use domain::{Entry, Error, Event, Message, MessageId, Place, Seq, UserId, message::Kind, visibility};
use store::log::Span;

use super::{
    access::View,
    reach::{self, Reach},
};
use crate::context::Context;

/// Entries of the first Query where it is not known how many will be needed.
const STRIDE: usize = 500;

/// Which messages.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With one of these ids.
    pub ids: Option<Vec<MessageId>>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<Kind>>,
    /// With one of these types of the application's own.
    pub custom_types: Option<BTreeSet<String>>,
    /// With an attachment of one of these types.
    pub attachment_types: Option<BTreeSet<String>>,
    /// By one of these users.
    pub authors: Option<BTreeSet<UserId>>,
    /// Replies to this message.
    pub parent: Option<MessageId>,
    /// Shown in the conversation, or in a thread only.
    pub in_conversation: Option<bool>,
    /// Pinned, or not.
    pub pinned: Option<bool>,
    /// Also entries that this dialect shows as messages of the system.
    pub system: bool,
}

/// Which of them.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The oldest first.
    pub ascending: bool,
    /// How many to leave out at the beginning.
    pub skip: usize,
    /// How many at most.
    pub limit: usize,
    /// How much of the log is looked at, from the end that comes first.
    pub reach: Reach,
}

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// No more was wanted, or there was no more.
    Done,
    /// Of a log that goes on nothing more may be looked at.
    Reach,
}

/// Something that is shown as a message.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A message, in its current state.
    Message(Box<Message>),
    /// An entry that is shown as a message of the system.
    System(Box<Entry>),
}

/// Whether an entry that is no message is shown as one of the system: who came and went, and how it is called.
#[must_use]
pub fn is_system(entry: &Entry) -> bool {
    match &entry.event {
        Event::ConversationCreated { direct, .. } => !direct,
        Event::MembersAdded { how, .. } => *how != domain::entry::Arrival::Founded,
        Event::MembersRemoved { .. } => true,
        Event::RoleChanged { role, .. } => *role == domain::Role::Admin,
        Event::ConversationUpdated(changes) => changes.title.is_some() || changes.image_url.is_some(),
        Event::Banned { member, .. } => *member,
        Event::MessageCreated(_)
        | Event::MessageEdited(_)
        | Event::MessageRecalled(_)
        | Event::CopiesDeleted { .. }
        | Event::ConversationPinned { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::ConversationDeleted
        | Event::Unbanned { .. }
        | Event::Notice(_) => false,
    }
}

/// The messages that the caller may see, of those that the filter lets through. Where the call reaches no further they
/// end, though there may be others.
///
/// # Errors
/// [`Error::Invalid`] if they would begin beyond the call's reach; [`Error::NotFound`] if the conversation was just
/// deleted; [`Error::Busy`], [`Error::Internal`].
pub async fn list(
    cx: &Context,
    view: &mut View<'_>,
    filter: &Filter,
    slice: Slice,
) -> Result<Vec<Shown>, Error> {
    let mut skipped = 0;
    let mut page = Vec::new();
    let end = walk(cx, view, filter, slice, |shown| {
        if skipped < slice.skip {
            skipped += 1;
        } else if page.len() < slice.limit {
            page.push(shown);
        }
        page.len() < slice.limit
    })
    .await?;
    if end == End::Reach && skipped < slice.skip {
        return Err(Error::invalid("skip", "goes further than one call looks"));
    }
    Ok(page)
}

/// How many messages the caller may see, of those that the filter lets through: among the newest entries, as many as
/// the call reaches.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`]; [`Error::NotFound`] if the conversation was just deleted.
pub async fn count(cx: &Context, view: &mut View<'_>, filter: &Filter, reach: Reach) -> Result<usize, Error> {
    let mut count = 0;
    let all = Slice { ascending: false, skip: 0, limit: usize::MAX, reach };
    walk(cx, view, filter, all, |_| {
        count += 1;
        true
    })
    .await?;
    Ok(count)
}

/// The newest message that the caller may see, if a glance reaches it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn newest(cx: &Context, view: &mut View<'_>, system: bool) -> Result<Option<Shown>, Error> {
    let filter = Filter { system, ..Filter::default() };
    let slice = Slice { ascending: false, skip: 0, limit: 1, reach: Reach::GLANCE };
    Ok(list(cx, view, &filter, slice).await?.pop())
}

/// Gives the messages to `take` in their order, until it says that it has enough or the call reaches no further.
async fn walk(
    cx: &Context,
    view: &mut View<'_>,
    filter: &Filter,
    slice: Slice,
    mut take: impl FnMut(Shown) -> bool + Send,
) -> Result<End, Error> {
    if slice.limit == 0 {
        return Ok(End::Done);
    }
    if view.seen_before && (filter.ids.is_some() || slice.ascending) {
        // The end of the log, which would tell that the conversation was deleted, may not be read.
        view.reload(cx).await?;
    }
    if let Some(ids) = &filter.ids {
        for shown in by_ids(cx, view, filter, slice, ids).await? {
            if !take(shown) {
                break;
            }
        }
        return Ok(End::Done);
    }
    let mut stride =
        if filter.is_empty() { slice.skip.saturating_add(slice.limit).min(1_000) } else { STRIDE };
    let (mut reach, mut after, mut before) = (slice.reach, visibility::nothing_up_to(view.reader()), None);
    loop {
        let span = if slice.ascending { Span::After(after) } else { Span::Between(after, before) };
        let page = cx.store.entries(view.conversation.number, span, reach.take(stride), false).await?;
        let Some(last) = page.entries.last().map(Entry::seq) else { return Ok(End::Done) };
        if page.entries.iter().any(|entry| matches!(entry.event, Event::ConversationDeleted)) {
            return Err(super::commit::NO_CONVERSATION);
        }
        view.refresh(cx, &page.entries).await?;
        let edited = edited(cx, &page.entries).await?;
        for entry in page.entries {
            let Some((origin, shown)) = shown_at(entry, &edited, filter) else { continue };
            if view.sees(&origin) && filter.passes(&shown) && !take(shown) {
                return Ok(End::Done);
            }
        }
        if !page.more {
            return Ok(End::Done);
        }
        if reach.is_over() {
            return Ok(End::Reach);
        }
        if slice.ascending {
            after = last;
        } else {
            before = Some(last);
        }
        stride = if stride < STRIDE { STRIDE } else { reach::STRIDE };
    }
}

/// What stands at an entry: a message that it last wrote, or the system's rendering of it; with the entry
/// that says who may see it.
fn shown_at(entry: Entry, edited: &[Entry], filter: &Filter) -> Option<(Entry, Shown)> {
    match &entry.event {
        Event::MessageCreated(message) if message.updated_seq() == entry.seq() => {
            let message = message.clone();
            Some((entry, Shown::Message(message)))
        }
        Event::MessageEdited(reference) => {
            let origin = edited.iter().find(|origin| origin.seq() == reference.seq)?;
            let Event::MessageCreated(message) = &origin.event else { return None };
            (message.updated_seq() == entry.seq()).then(|| (origin.clone(), Shown::Message(message.clone())))
        }
        _ if filter.system && is_system(&entry) => Some((entry.clone(), Shown::System(Box::new(entry)))),
        _ => None,
    }
}

/// The messages whose edits are among the entries.
async fn edited(cx: &Context, entries: &[Entry]) -> Result<Vec<Entry>, Error> {
    let places: Vec<Place> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::MessageEdited(reference) => Some(Place { seq: reference.seq, ..entry.place }),
            _ => None,
        })
        .collect();
    if places.is_empty() { Ok(Vec::new()) } else { cx.store.entries_at(&places, false).await }
}

/// The messages with these ids, in their order.
async fn by_ids(
    cx: &Context,
    view: &mut View<'_>,
    filter: &Filter,
    slice: Slice,
    ids: &[MessageId],
) -> Result<Vec<Shown>, Error> {
    let mut places = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(place) = cx.store.locate(id).await?
            && place.number == view.conversation.number
        {
            places.push(place);
        }
    }
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(Seq, Shown)> = Vec::new();
    for entry in cx.store.entries_at(&places, true).await? {
        if !view.sees(&entry) {
            continue;
        }
        let (seq, id, shown) = match &entry.event {
            Event::MessageCreated(message) => {
                (message.updated_seq(), message.id.clone(), Shown::Message(message.clone()))
            }
            _ if filter.system && is_system(&entry) => {
                (entry.seq(), entry.id(), Shown::System(Box::new(entry.clone())))
            }
            _ => continue,
        };
        if ids.contains(&id) && filter.passes(&shown) {
            found.push((seq, shown));
        }
    }
    found.sort_by_key(|(seq, _)| *seq);
    found.dedup_by_key(|(seq, _)| *seq);
    if !slice.ascending {
        found.reverse();
    }
    Ok(found.into_iter().map(|(_, shown)| shown).collect())
}

impl Filter {
    fn is_empty(&self) -> bool {
        let Self {
            ids,
            kinds,
            custom_types,
            attachment_types,
            authors,
            parent,
            in_conversation,
            pinned,
            system: _,
        } = self;
        ids.is_none()
            && kinds.is_none()
            && custom_types.is_none()
            && attachment_types.is_none()
            && authors.is_none()
            && parent.is_none()
            && in_conversation.is_none()
            && pinned.is_none()
    }

    fn passes(&self, shown: &Shown) -> bool {
        match shown {
            Shown::Message(message) => self.passes_message(message),
            Shown::System(entry) => {
                self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&Kind::Admin))
                    && self.custom_types.is_none()
                    && self.attachment_types.as_ref().is_none_or(|types| types.contains("text"))
                    && self.authors.as_ref().is_none_or(|authors| {
                        entry.actor.as_ref().is_some_and(|actor| authors.contains(actor))
                    })
                    && self.parent.is_none()
                    && self.in_conversation != Some(false)
                    && self.pinned != Some(true)
            }
        }
    }

    fn passes_message(&self, message: &Message) -> bool {
        let content = &message.content;
        let has_attachment = |types: &BTreeSet<String>| {
            let kind = |attachment: &domain::Object| {
                attachment.get("type").and_then(|kind| kind.as_str()).is_some_and(|kind| types.contains(kind))
            };
            content.attachments.iter().any(kind)
        };
        message.is_listed()
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&content.kind))
            && self
                .custom_types
                .as_ref()
                .is_none_or(|types| content.custom_type.as_ref().is_some_and(|one| types.contains(one)))
            && self.attachment_types.as_ref().is_none_or(has_attachment)
            && self.authors.as_ref().is_none_or(|authors| authors.contains(&message.author))
            && self
                .parent
                .as_ref()
                .is_none_or(|parent| content.parent.as_ref().is_some_and(|own| own.id == *parent))
            && self.in_conversation.is_none_or(|shown| shown != content.thread_only)
            && self.pinned.is_none_or(|pinned| pinned == message.state.pinned)
    }
}
