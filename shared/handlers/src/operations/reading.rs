//! How far somebody has read, and how much there is left.

use domain::{
    ConversationId, Dialect, Error, Event, Member, Number, Seq, Timestamp, UserId, Visibility,
    conversation::Openness,
    ranges::Ranges,
    visibility::{self, Reader},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{Store, directory::PARALLEL, log::Span, member::Membership, read_mark::ReadMark, signal::Signal};

use super::{
    access,
    block::not_blocked,
    reach::{self, Reach},
};
use crate::{auth::Caller, context::Context};

/// Entries of one Query; DynamoDB ends it at one megabyte anyway.
const STRIDE: usize = 10_000;

/// Marks everything as read that the log took up to `until`, or all of it. A mark never goes back.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] unless by a member.
pub async fn mark_read(
    cx: &Context,
    caller: &Caller,
    id: &ConversationId,
    until: Option<Timestamp>,
) -> Result<(), Error> {
    let user = caller.user()?;
    let view = access::view(cx, caller, id).await?;
    if !view.member.as_ref().is_some_and(Member::is_active) {
        return Err(Error::Forbidden("Only members of the conversation may do this."));
    }
    let Some(membership) = cx.store.membership(user, id).await? else { return Ok(()) };
    let now = cx.clock.now();
    let number = view.conversation.number;
    let read = membership.read_up_to();
    let Some((seq, logged)) = last_until(&cx.store, number, until, read).await? else { return Ok(()) };
    // Never before what it marks: a reader compares the two.
    let at = until.map_or(now, |until| until.min(now)).max(logged);
    cx.store.mark_read(id, number, user, ReadMark { seq, at }).await?;
    Ok(())
}

/// Marks everything up to the entry `seq` as read. What is read already stays so: nothing is written.
///
/// # Errors
/// [`Error::Forbidden`] unless by a member.
pub async fn mark_read_to(cx: &Context, view: &access::View<'_>, seq: Seq) -> Result<(), Error> {
    let user = view.caller.user()?;
    let id = &view.conversation.id;
    if !view.member.as_ref().is_some_and(Member::is_active) {
        return Err(Error::Forbidden("Only members of the conversation may do this."));
    }
    let membership = cx.store.membership(user, id).await?;
    if membership.is_none_or(|own| own.read.is_some_and(|mark| mark.seq >= seq)) {
        return Ok(());
    }
    let mark = ReadMark { seq, at: cx.clock.now() };
    cx.store.mark_read(id, view.conversation.number, user, mark).await?;
    Ok(())
}

/// The last entry that the log took at `until` or before, and when that was; the tail if it is not said. None
/// if it is not beyond what is read already.
async fn last_until(
    store: &Store,
    number: Number,
    until: Option<Timestamp>,
    read: Seq,
) -> Result<Option<(Seq, Timestamp)>, Error> {
    let mut span = Span::Before(None);
    let mut stride = 1;
    loop {
        let page = store.entries(number, span, stride, true).await?;
        let found = page.entries.iter().find(|entry| until.is_none_or(|until| entry.at <= until));
        if let Some(entry) = found {
            return Ok(Some((entry.seq(), entry.at)).filter(|(seq, _)| *seq >= read));
        }
        let last = page.entries.last().filter(|last| page.more && last.seq() > read);
        let Some(last) = last else { return Ok(None) };
        span = Span::Before(Some(last.seq()));
        stride = STRIDE;
    }
}

/// How many messages the user has not read, in all conversations together.
///
/// One Query lists the conversations, one each counts; more of them where there are thousands.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn unread_total(cx: &Context, user: &UserId) -> Result<u64, Error> {
    let memberships = cx.store.memberships(user).await?;
    stream::iter(memberships)
        .map(|membership| async move { unread(&cx.store, user, &membership, Seq(0)).await })
        .buffer_unordered(PARALLEL)
        .try_fold(0, |sum, count| std::future::ready(Ok(sum + count)))
        .await
}

/// How many messages the user has not read in one conversation, of those that a glance reaches.
///
/// A membership begins where unread counts begin, so no absence lies behind the mark; and own copies that
/// were deleted since are told by the same entries that are counted. So nothing else must be read. Who knows that
/// nothing is left for the user up to some entry says so: `after` it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn unread(store: &Store, user: &UserId, membership: &Membership, after: Seq) -> Result<u64, Error> {
    let stranger = Member::stranger(user.clone(), membership.number);
    let openness = Openness::new(Visibility::Private);
    let reader = Reader { user: Some(user), member: Some(&stranger), powerful: false };
    // Backwards, so an own copy's deletion is met before what it deleted.
    let (mut gone, mut unread) = (Ranges::default(), 0);
    let (mut reach, mut before) = (Reach::GLANCE, None);
    let after = after.max(membership.read_up_to());
    loop {
        let span = Span::Between(after.max(gone.beginning()), before);
        let page = store.entries(membership.number, span, reach.take(reach::STRIDE), false).await?;
        for entry in &page.entries {
            match &entry.event {
                Event::CopiesDeleted { user: whose, messages } if whose == user => {
                    messages.iter().for_each(|(from, to)| gone.insert(from, to));
                }
                Event::ConversationDeleted => return Ok(0),
                _ if gone.contains(entry.seq()) => {}
                _ => unread += u64::from(visibility::counts_unread(&openness, reader, entry)),
            }
        }
        before = page.entries.last().map(domain::Entry::seq);
        if before.is_none() || !page.more || reach.is_over() {
            return Ok(unread);
        }
    }
}

/// Announces that the caller types, or types no more.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] unless by somebody who may write, or between two of whom one blocks
/// the other.
pub async fn type_on(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    typing: bool,
) -> Result<(), Error> {
    let user = caller.user()?.clone();
    let view = access::view(cx, caller, id).await?;
    let now = cx.clock.now();
    view.actor().may_write(&view.conversation, now)?;
    not_blocked(&cx.store, &view.conversation, &user).await?;
    let signal = Signal::Typing { user, typing, dialect, at: now };
    cx.store.signal(view.conversation.number, &signal, now).await
}
