//! Entering topics: what was missed is sent by whoever subscribes, what comes by the fan-out, and between the
//! two nothing is lost, doubled or overtaken (`store::hold` says how).
//!
//! The order is always: hold the subscription, read the log, then read who may see it. So whoever was banned by
//! an entry that was read is known to be, and what is written later is the fan-out's to judge.

use std::time::Duration;

use bytes::Bytes;
use dialects::channels::topic;
use domain::{
    Conversation, ConversationId, Entry, Error, Member, Number, Seq, Topic,
    visibility::{self, Reader},
};
use serde::Deserialize;
use store::{
    hold::{Flow, Hold, Release},
    log::Span,
    retry,
};
use tokio::time::Instant;

use super::{
    frames::{self, POWERFUL},
    socket::Command,
};
use crate::{
    call,
    context::Context,
    delivery::{originals::Originals, post, stage},
    operations::{commit::NO_CONVERSATION, notice},
};

/// Entries that one message may have missed, all its topics together. Further ones are not sent again: the
/// client reads the lists instead.
const MOST_MISSED: u64 = 1_000;
/// Entries of one Query, and of one round of posts.
const STRIDE: usize = 100;
/// How long all that was missed may take: API Gateway ends a function behind a socket after 29 seconds.
const DEADLINE: Duration = Duration::from_secs(20);
/// When a hold is known to be nobody's any more: later than its function can live.
const HELD_SECONDS: i64 = 40;

/// Where a client was.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object of epoch and seq")]
pub struct Position {
    epoch: String,
    seq: u64,
}

/// A topic that is being subscribed to.
#[derive(Debug)]
pub struct Entrance {
    /// The topic as the client spelled it.
    pub name: String,
    topic: Topic,
    log: Conversation,
    /// None where a subscription goes on that there was already.
    hold: Option<Hold>,
    /// The last entry that was sent, or need not be.
    sent: Seq,
    /// The last entry that the client had, where it resumes.
    had: Option<Seq>,
    recovered: bool,
}

impl Entrance {
    /// The life of the topic's log.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.log.epoch
    }

    /// The last entry that was sent, or need not be.
    #[must_use]
    pub const fn sent(&self) -> Seq {
        self.sent
    }

    /// Whether everything was sent that the client had missed.
    #[must_use]
    pub const fn recovered(&self) -> bool {
        self.recovered
    }
}

/// How far the sending of what was missed came.
enum Caught {
    /// To the end.
    Up,
    /// The user may not hear more of it.
    Out(Error),
    /// The connection is no more.
    Off,
}

/// The topics of one message.
pub struct Entering<'a> {
    cx: &'a Context,
    command: &'a Command,
    entrances: Vec<Entrance>,
    missed: u64,
    deadline: Instant,
    off: bool,
}

impl<'a> Entering<'a> {
    /// None yet.
    #[must_use]
    pub fn new(cx: &'a Context, command: &'a Command) -> Self {
        let deadline = Instant::now() + DEADLINE;
        Self { cx, command, entrances: Vec::new(), missed: 0, deadline, off: false }
    }

    /// The topics that were entered.
    #[must_use]
    pub fn reached(&self) -> &[Entrance] {
        &self.entrances
    }

    /// Enters a topic: holds a subscription to it and sends what was missed. Posts an error of its own if it may
    /// not be entered.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn enter(&mut self, name: String, after: Option<Position>) -> Result<(), Error> {
        if self.off {
            return Ok(());
        }
        match self.try_enter(name.clone(), after).await {
            Ok(Some(entrance)) => self.entrances.push(entrance),
            Ok(None) => self.off = true,
            Err(error @ (Error::Busy | Error::Internal(_))) => return Err(error),
            Err(error) => self.command.refuse(self.cx, &error, Some(&name)).await,
        }
        Ok(())
    }

    async fn try_enter(&mut self, name: String, after: Option<Position>) -> Result<Option<Entrance>, Error> {
        let topic = topic::parse(&name)?;
        if let Topic::Conversation(id) = &topic {
            call::is_about(id);
        }
        let log = self.log(&topic).await?;
        let after = after.filter(|after| after.epoch == log.epoch);
        let (hold, standing) = self.hold(&topic, &log, after.is_some()).await?;
        let Some(tail) = self.cx.store.tail(log.number).await? else {
            return Err(Error::Internal(format!("the log of {name} is empty")));
        };
        let tail = tail.place.seq;
        let had = after.map(|after| Seq(after.seq));
        let had = had.filter(|had| *had <= tail && self.missed + (tail.0 - had.0) <= MOST_MISSED);
        self.missed += had.map_or(0, |had| tail.0 - had.0);
        // From the entry that the client had: of several frames of one entry it may have missed the last. What was
        // subscribed to before may be owed anything since it began.
        let sent = had.map_or(standing.unwrap_or(tail), |had| Seq(had.0.saturating_sub(1)));
        let mut entrance = Entrance { name, topic, log, hold, sent, had, recovered: had.is_some() };
        if let Err(error) = self.standing(&entrance).await?.allowed(self, &entrance.topic) {
            self.leave(&entrance).await?;
            return Err(error);
        }
        if had.is_none() {
            return Ok(Some(entrance));
        }
        match self.catch_up(&mut entrance).await? {
            Caught::Up => Ok(Some(entrance)),
            Caught::Off => Ok(None),
            Caught::Out(error) => {
                self.leave(&entrance).await?;
                Err(error)
            }
        }
    }

    /// Lets all subscriptions go, once everything that came meanwhile was sent.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn let_go(mut self) -> Result<(), Error> {
        for mut entrance in std::mem::take(&mut self.entrances) {
            let Some(hold) = entrance.hold else { continue };
            loop {
                let connection = &self.command.connection.id;
                let (topic, sent) = (&entrance.topic, entrance.sent);
                match self.cx.store.release(topic, connection, hold, sent).await? {
                    Release::Done | Release::Lost => break,
                    Release::Missed => {}
                }
                match self.catch_up(&mut entrance).await? {
                    Caught::Up => {}
                    Caught::Off => return Ok(()),
                    Caught::Out(error) => {
                        self.leave(&entrance).await?;
                        self.command.refuse(self.cx, &error, Some(&entrance.name)).await;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Holds a subscription, or finds one that began before: after which entry, so that it goes on. Whoever resumes is sent
    /// all that such a one may be owed, and takes it over.
    async fn hold(
        &self,
        topic: &Topic,
        log: &Conversation,
        resumes: bool,
    ) -> Result<(Option<Hold>, Option<Seq>), Error> {
        let (store, connection) = (&self.cx.store, &self.command.connection);
        let detail = self.command.caller.powerful.then_some(POWERFUL);
        for attempt in 0.. {
            let now = self.cx.clock.now();
            let times = (now, now.plus_seconds(HELD_SECONDS));
            let standing = match store.hold(connection, topic, detail, log.number, times).await? {
                Ok(hold) => return Ok((Some(hold), None)),
                Err(standing) => standing,
            };
            match standing {
                Flow::After(place) if !resumes => return Ok((None, Some(place.seq))),
                Flow::After(place) => {
                    let hold = store.take_over(connection, topic, detail, log.number, times).await?;
                    return Ok((Some(hold), Some(place.seq)));
                }
                // An earlier message of the client's is still being answered.
                Flow::Held(hold) if hold.until > now && Instant::now() < self.deadline => {
                    retry::pause(attempt).await;
                }
                // Whoever answered it has died: what was left to them is known to nobody.
                Flow::Held(_) | Flow::All => break,
            }
        }
        Err(Error::Busy)
    }

    async fn leave(&self, entrance: &Entrance) -> Result<(), Error> {
        self.cx.store.unsubscribe(&self.command.connection.id, &entrance.topic).await
    }

    /// The topic's log, if the caller may hear it.
    async fn log(&self, topic: &Topic) -> Result<Conversation, Error> {
        let caller = &self.command.caller;
        match topic {
            Topic::Conversation(id) => {
                let standing = self.in_conversation(id, None).await?;
                standing.allowed(self, topic)?;
                standing.last.ok_or(NO_CONVERSATION)
            }
            Topic::User(user) if caller.user.as_ref() != Some(user) && !caller.powerful => {
                Err(Error::Forbidden("A user's topic is that user's own."))
            }
            Topic::User(_) | Topic::Global => notice::log_of(self.cx, topic).await,
        }
    }

    async fn standing(&self, entrance: &Entrance) -> Result<Standing, Error> {
        match &entrance.topic {
            Topic::Conversation(id) => self.in_conversation(id, Some(entrance.log.number)).await,
            _ => Ok(Standing { last: Some(entrance.log.clone()), member: None }),
        }
    }

    /// What is true of a conversation, in the life of that number, for the caller. Settings and a standing that shut the
    /// caller out were true at one moment.
    async fn in_conversation(&self, id: &ConversationId, life: Option<Number>) -> Result<Standing, Error> {
        let read = async || {
            let found = self.cx.store.conversation(id, true).await?;
            Ok::<_, Error>(found.filter(|one| life.is_none_or(|life| one.number == life)))
        };
        let mut last = read().await?;
        loop {
            let member = match &self.command.caller.user {
                Some(user) => self.cx.store.member(id, user).await?,
                None => None,
            };
            let number = last.as_ref().map(|last| last.number).or(life);
            let member = member.filter(|member| Some(member.number) == number);
            let standing = Standing { last, member };
            if standing.may_read(self) {
                return Ok(standing);
            }
            last = read().await?;
            if version(last.as_ref()) == version(standing.last.as_ref()) {
                return Ok(standing);
            }
        }
    }

    /// Sends what lies between what was sent and the end of the log.
    async fn catch_up(&self, entrance: &mut Entrance) -> Result<Caught, Error> {
        let mut out: Option<Error> = None;
        loop {
            let span = Span::After(entrance.sent);
            let page = self.cx.store.entries(entrance.log.number, span, STRIDE, true).await?;
            if page.entries.is_empty() {
                return Ok(out.map_or(Caught::Up, Caught::Out));
            }
            let originals = Originals::of(self.cx, entrance.log.number, page.entries.iter()).await?;
            // Only now: it is at least as new as what was read.
            let standing = self.standing(entrance).await?;
            let mut frames: Vec<Bytes> = Vec::new();
            for entry in &page.entries {
                // What had a time to live may be gone.
                entrance.recovered &= entry.seq() == entrance.sent.next();
                entrance.sent = entry.seq();
                let had = entrance.had == Some(entry.seq()) && !frames::takes_several(&entrance.topic, entry);
                let sees = |entry: &Entry| standing.sees(self, &entrance.topic, entry);
                if !had && sees(entry) && originals.origin(entry).is_none_or(sees) {
                    frames.extend(self.encode(entrance, entry, &originals).await?);
                }
            }
            if !post::post_in_order(self.cx, &self.command.connection, frames).await {
                return Ok(Caught::Off);
            }
            if !page.more {
                match (out, standing.allowed(self, &entrance.topic)) {
                    (None, Ok(())) => return Ok(Caught::Up),
                    (Some(error), _) => return Ok(Caught::Out(error)),
                    // The entry that sent the user away may have come after what was read: it is still told.
                    (None, Err(error)) => out = Some(error),
                }
            }
            if Instant::now() > self.deadline {
                post::park(self.cx, &self.command.connection).await;
                return Ok(Caught::Off);
            }
        }
    }

    async fn encode(
        &self,
        entrance: &Entrance,
        entry: &Entry,
        originals: &Originals,
    ) -> Result<Vec<Bytes>, Error> {
        frames::encode(self.cx, Some(entrance.epoch()), &entrance.topic.log(), entry, originals).await
    }

    fn reader<'b>(&'b self, member: Option<&'b Member>) -> Reader<'b> {
        let caller = &self.command.caller;
        Reader { user: caller.user.as_ref(), member, powerful: caller.powerful }
    }
}

/// Which settings these are.
fn version(conversation: Option<&Conversation>) -> Option<(Number, Seq)> {
    conversation.map(|one| (one.number, one.changed))
}

/// What is true of a topic for the caller, some time after entries of it were read.
struct Standing {
    /// The settings of the log's life; none if its id names another life.
    last: Option<Conversation>,
    member: Option<Member>,
}

impl Standing {
    fn allowed(&self, entering: &Entering<'_>, topic: &Topic) -> Result<(), Error> {
        if !matches!(topic, Topic::Conversation(_)) {
            return Ok(());
        }
        self.last.as_ref().filter(|one| !one.deleted).ok_or(NO_CONVERSATION)?;
        if self.may_read(entering) {
            return Ok(());
        }
        Err(Error::Forbidden("You are not a member of this channel."))
    }

    fn may_read(&self, entering: &Entering<'_>) -> bool {
        let reader = entering.reader(self.member.as_ref());
        let now = entering.cx.clock.now();
        self.last.as_ref().is_some_and(|last| visibility::may_read(last, reader, now))
    }

    /// Whether the caller sees the entry: as in a list, while the caller may look into the conversation; else what the
    /// caller might hear before being sent away.
    fn sees(&self, entering: &Entering<'_>, topic: &Topic, entry: &Entry) -> bool {
        let reader = entering.reader(self.member.as_ref());
        match &self.last {
            Some(last) if self.allowed(entering, topic).is_ok() => {
                visibility::may_see(&last.openness, reader, entry)
            }
            last => stage::subscriber_sees(topic, last.as_ref(), reader, entry),
        }
    }
}
