//! How a change gets into a conversation's log.
//!
//! An [`Operation`] says, from what is true at the log's tail, what to append. [`commit`] reads the tail, reads
//! what the operation needs after it, and appends at tail + 1. If somebody else took the number, everything is
//! read and checked again: a ban can never be overtaken by a message of the banned.

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Event, Member, Place, Seq, Timestamp, UserId,
    ids::Nonce, permission::Actor,
};
use store::{
    Appended, Item, Store, Tail, Write, retry,
    turn::{End, Turn},
};

use crate::{auth::Caller, call, context::Context};

/// Something that changes one conversation.
pub trait Operation: Sync {
    /// What it gives back.
    type Output: Send;

    /// What to append, given what is true now. May be asked several times.
    fn plan(&self, seen: &Seen<'_>) -> impl Future<Output = Result<Plan<Self::Output>, Error>> + Send;

    /// What it means that a condition of one of the plan's writes did not hold.
    fn refused(
        &self,
        _seen: &Seen<'_>,
        _write: usize,
        _standing: Option<Item>,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send {
        std::future::ready(Err(Error::Conflict("Something else was written at the same time.")))
    }
}

/// What an operation wants to be done.
#[derive(Debug)]
pub enum Plan<T> {
    /// Entries that continue the tail, what they change, and what to give back once they are in the log.
    Append(Vec<Entry>, Vec<Write>, T),
    /// Nothing: it is as it should be.
    Nothing(T),
}

/// What is true at the tail of a conversation's log.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The store, for what else the operation must read.
    pub store: &'a Store,
    /// The conversation.
    pub conversation: Conversation,
    /// Where its log ends.
    pub tail: Tail,
    /// The caller's standing in it.
    pub member: Option<Member>,
    /// Who calls.
    pub caller: &'a Caller,
    /// The dialect of the call.
    pub dialect: Dialect,
    /// The time of the entries to be appended.
    pub at: Timestamp,
}

impl Seen<'_> {
    /// The caller as somebody who acts here.
    #[must_use]
    pub fn actor(&self) -> Actor<'_> {
        Actor {
            user: self.caller.user.as_ref(),
            member: self.member.as_ref(),
            powerful: self.caller.powerful,
        }
    }

    /// The place of the `n`th entry to be appended, counted from 0.
    #[must_use]
    pub fn place(&self, n: usize) -> Place {
        let ahead = u64::try_from(n).unwrap_or(u64::MAX);
        Place { number: self.conversation.number, seq: Seq(self.tail.next().0.saturating_add(ahead)) }
    }

    /// The `n`th entry to be appended, counted from 0.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no randomness.
    pub fn entry(&self, n: usize, event: Event) -> Result<Entry, Error> {
        Ok(Entry {
            place: self.place(n),
            at: self.at,
            actor: self.caller.user.clone(),
            dialect: self.dialect,
            nonce: Store::nonce()?,
            settings: self.tail.settings,
            event,
        })
    }

    /// An entry that changes the settings, with the settings as they are after it. `change` gets them with
    /// the entry's number already in them.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn settings_entry(
        &self,
        n: usize,
        event: Event,
        change: impl FnOnce(&mut Conversation, Seq),
    ) -> Result<(Entry, Conversation), Error> {
        let mut entry = self.entry(n, event)?;
        entry.settings = entry.seq();
        let mut after = self.conversation.clone();
        after.changed = entry.seq();
        change(&mut after, entry.seq());
        Ok((entry, after))
    }

    /// The standing of another user, from the tail on.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn standing(&self, user: &UserId) -> Result<Option<Member>, Error> {
        let member = self.store.member(&self.conversation.id, user).await?;
        Ok(member.filter(|member| member.number == self.conversation.number))
    }
}

/// Does the operation.
///
/// # Errors
/// [`Error::NotFound`] if there is no such conversation, [`Error::Busy`] if it was overtaken too often, and
/// what the operation itself says.
pub async fn commit<O: Operation>(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    operation: &O,
) -> Result<O::Output, Error> {
    call::is_about(id);
    let mut turn = None;
    let done = attempts(cx, caller, dialect, id, operation, &mut turn).await;
    if let Some(turn) = turn {
        cx.store.give_back(turn).await;
    }
    done
}

/// Attempts after which a change that was overtaken asks the others to wait: a quarter of a second.
const PATIENCE: u32 = 8;

async fn attempts<O: Operation>(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    operation: &O,
    turn: &mut Option<Turn>,
) -> Result<O::Output, Error> {
    // Writes of which it is not known whether they were done: the SDK tried them several times, and the last
    // answer, "later", says nothing about the tries before it.
    let mut unknown: Vec<(Place, Nonce, O::Output)> = Vec::new();
    for attempt in 0..retry::ATTEMPTS {
        let Some(known) = cx.store.conversation_seen(id).await? else { return Err(NO_CONVERSATION) };
        let gate = cx.store.gate(known.number).await;
        let number = known.number;
        let Some((conversation, tail)) = at_tail(cx, known, turn.is_some()).await? else {
            drop(gate);
            retry::pause(attempt).await;
            continue;
        };
        // Where the log has grown over the place of such a write, it shows whose entry took it.
        for (place, nonce, output) in unknown.extract_if(.., |(place, ..)| place.seq <= tail.place.seq) {
            let standing = cx.store.entries_at(&[place], true).await?;
            if standing.iter().any(|entry| entry.nonce == nonce) {
                cx.store.forget_conversation(id);
                return Ok(output);
            }
        }
        let seen = look(cx, caller, dialect, (conversation, tail)).await?;
        let (entries, writes, output) = match operation.plan(&seen).await? {
            Plan::Nothing(output) => return Ok(output),
            Plan::Append(entries, writes, output) => (entries, writes, output),
        };
        let changes_settings = entries.iter().any(|entry| entry.settings == entry.seq());
        match cx.store.append(&entries, writes).await {
            Ok(Appended::Done) => {
                if changes_settings {
                    cx.store.forget_conversation(id);
                }
                return Ok(output);
            }
            Ok(Appended::Refused(write, standing)) => return operation.refused(&seen, write, standing).await,
            // Nothing was written.
            Ok(Appended::Overtaken) => {}
            // One of the items was in somebody else's transaction, or the table throttles.
            Err(Error::Busy) => {
                if let Some(first) = entries.first() {
                    unknown.push((first.place, first.nonce, output));
                }
            }
            Err(error) => return Err(error),
        }
        drop(gate);
        if attempt < PATIENCE {
            retry::pause(attempt).await;
            continue;
        }
        let now = cx.clock.now();
        if turn.as_ref().is_none_or(|turn| turn.is_over(now)) {
            *turn = cx.store.take_turn(number, now).await?;
        }
        // Whose turn it is has only those before it that had asked for the log's end already.
        retry::pause(if turn.is_some() { 0 } else { attempt }).await;
    }
    Err(Error::Busy)
}

/// Refuses what the operation would be refused for if it were done now, and writes nothing: for a call that does
/// several. It waits for nobody's turn.
///
/// # Errors
/// As [`commit`].
pub async fn rehearse<O: Operation>(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    operation: &O,
) -> Result<(), Error> {
    call::is_about(id);
    for attempt in 0..retry::ATTEMPTS {
        let Some(known) = cx.store.conversation_seen(id).await? else { return Err(NO_CONVERSATION) };
        if let Some(found) = at_tail(cx, known, true).await? {
            let seen = look(cx, caller, dialect, found).await?;
            return operation.plan(&seen).await.map(|_plan| ());
        }
        retry::pause(attempt).await;
    }
    Err(Error::Busy)
}

/// What is true at this tail, which was read before: also where the caller stands.
async fn look<'a>(
    cx: &'a Context,
    caller: &'a Caller,
    dialect: Dialect,
    (conversation, tail): (Conversation, Tail),
) -> Result<Seen<'a>, Error> {
    let member = match &caller.user {
        Some(user) => cx.store.member(&conversation.id, user).await?,
        None => None,
    };
    Ok(Seen {
        store: &cx.store,
        member: member.filter(|member| member.number == conversation.number),
        at: tail.time(cx.clock.now()),
        conversation,
        tail,
        caller,
        dialect,
    })
}

/// What it is called when a conversation is not there.
pub const NO_CONVERSATION: Error = Error::NotFound("Conversation");

/// The conversation with the settings that are true at its log's tail; none if it changed meanwhile, or if it is
/// somebody else's turn and this one waits for it.
async fn at_tail(
    cx: &Context,
    known: Conversation,
    has_turn: bool,
) -> Result<Option<(Conversation, Tail)>, Error> {
    let store = &cx.store;
    let tail = if has_turn {
        store.tail(known.number).await?
    } else {
        match store.end(known.number, cx.clock.now()).await? {
            End::Free(tail) => tail,
            End::Taken => return Ok(None),
        }
    };
    if let Some(tail) = tail
        && !tail.ended
        && tail.settings == known.changed
        && !known.deleted
    {
        return Ok(Some((known, tail)));
    }
    let Some(now) = store.conversation(&known.id, true).await? else { return Err(NO_CONVERSATION) };
    if now.deleted {
        return Err(NO_CONVERSATION);
    }
    // Either the tail that was read fits the settings as they are now, or one of the two has moved on.
    Ok(tail
        .filter(|tail| tail.place.number == now.number && tail.settings == now.changed && !tail.ended)
        .map(|tail| (now, tail)))
}
