//! What is known about a conversation when something of it is delivered: its settings, its members, and the
//! connections of those who may hear of it. All of them, or, where they are too many, those of one shard.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Event, Member, Number, Seq, Timestamp, Topic,
    UserId, Visibility,
    conversation::Openness,
    visibility::{self, Reader},
};
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join, stream};
use store::{
    change::Change,
    connection::Connection,
    division::Division,
    subscription::{Subscription, Wide},
};

use super::{
    chunk::{List, Shard},
    originals::Originals,
};
use crate::context::Context;

/// Users whose connections are asked for at once.
const USERS_AT_ONCE: usize = 32;
/// Subscribers whose standings are read one by one where the members are few: as many as one request takes. A unit for
/// each is more than the whole list of members then is.
const ASKED_ONE_BY_ONE: usize = 100;
/// Members that one unit reads in a list, about.
const MEMBERS_OF_A_UNIT: u64 = 16;

/// A conversation, set for one batch of changes.
#[derive(Debug)]
pub struct Stage {
    /// Its id.
    pub id: ConversationId,
    /// Its number.
    pub number: Number,
    /// Its settings; none if this life of it is over.
    pub conversation: Option<Conversation>,
    /// Its settings, also as they were when it ended; none once its id names another life.
    pub last: Option<Conversation>,
    /// What a connection subscribes to in order to hear of it.
    pub topic: Topic,
    /// The shard of its audience that is here; none: all of it.
    pub shard: Option<Shard>,
    /// All who ever had to do with it, by user; of a shard those who are in it.
    pub members: BTreeMap<UserId, Member>,
    /// The connections of those who are members, or ceased to be with one of these changes or after it.
    connections: Vec<Connection>,
    /// What was edited with these changes, as it was before the members were read.
    pub originals: Originals,
    /// When it was set.
    now: Timestamp,
    /// The connections that subscribe to it.
    subscriptions: Vec<Subscription>,
}

/// Who is to be served.
#[derive(Debug)]
pub enum Audience {
    /// Nobody listens.
    Nobody,
    /// These.
    Here(Box<Stage>),
    /// So many that they are to be divided, or are.
    Large(ConversationId, Option<Division>),
}

impl Stage {
    /// Sets the stage for all who may hear of the changes, unless they are too many.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set(cx: &Context, number: Number, changes: &[&Change]) -> Result<Audience, Error> {
        let id = named(cx, number).await?;
        let originals = originals(cx, number, changes).await?;
        let now = cx.clock.now();
        let topic = Topic::of_log(&id);
        let most = cx.road.most_inline();
        let roster = cx.store.roster(&id, number, most).await?;
        let members = match (roster.members, &roster.division) {
            (Some(members), _) => members,
            // Divided by somebody who had a topic for its shards.
            (None, _) if most == usize::MAX => cx.store.members(&id, number).await?,
            (None, _) => return Ok(Audience::Large(id, roster.division)),
        };
        let left = most.saturating_sub(members.len());
        let here = cx.store.subscribers_up_to(&topic, left, now);
        let wide = wide_subscribers(cx, &topic, |one| is_or_was_open(one, number, changes), now);
        // Of one that was divided the first answer is likely to be that they are too many.
        let (here, wide) = if roster.division.is_none() {
            try_join(here, wide).await?
        } else {
            match here.await? {
                Some(here) => (Some(here), wide.await?),
                None => (None, (Vec::new(), None)),
            }
        };
        let Some(mut subscriptions) = here else { return Ok(Audience::Large(id, roster.division)) };
        subscriptions.extend(wide.0);
        let set = Self::of(cx, (id, number), changes, None, (members, subscriptions, originals)).await?;
        Ok(set.map_or(Audience::Nobody, |stage| Audience::Here(Box::new(stage))))
    }

    /// Sets the stage for one shard of a divided audience, of a conversation with few members or many, and says how
    /// many are in its stretch; none if nobody of it listens.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set_for(
        cx: &Context,
        number: Number,
        changes: &[&Change],
        (shard, few_members): (&Shard, bool),
    ) -> Result<(Option<Self>, usize), Error> {
        let id = named(cx, number).await?;
        let originals = originals(cx, number, changes).await?;
        let now = cx.clock.now();
        let topic = Topic::of_log(&id);
        let (members, subscriptions, size) = match shard.list {
            List::Members => {
                let members = cx.store.members_within(&id, number, &shard.stretch).await?;
                let size = members.len();
                (members, Vec::new(), size)
            }
            List::Subscribers => {
                let mut found = cx.store.subscribers_within(&topic, &shard.stretch, now).await?;
                let size = found.len();
                // Beyond so many one unit for each is more than the whole list.
                let mut one_by_one = if few_members { ASKED_ONE_BY_ONE } else { usize::MAX };
                if shard.stretch.from.is_none() {
                    // All of them are served here, whether the conversation is open or not.
                    let (wide, settings) = wide_subscribers(cx, &topic, |_| true, now).await?;
                    let members = settings.map_or(u64::MAX, |one| one.members) / MEMBERS_OF_A_UNIT;
                    if !wide.is_empty() {
                        one_by_one = one_by_one.min(usize::try_from(members).unwrap_or(usize::MAX));
                    }
                    one_by_one = one_by_one.max(ASKED_ONE_BY_ONE);
                    found.extend(wide);
                }
                let users: BTreeSet<&UserId> = found.iter().map(|one| &one.connection.user).collect();
                let users: Vec<UserId> = users.into_iter().cloned().collect();
                let members = match users.len() {
                    0 => Vec::new(),
                    many if many > one_by_one => cx.store.members(&id, number).await?,
                    _ => cx.store.members_among(&id, &users).await?,
                };
                (members.into_iter().filter(|member| member.number == number).collect(), found, size)
            }
        };
        let found = (members, subscriptions, originals);
        Ok((Self::of(cx, (id, number), changes, Some(shard.clone()), found).await?, size))
    }

    async fn of(
        cx: &Context,
        (id, number): (ConversationId, Number),
        changes: &[&Change],
        shard: Option<Shard>,
        (members, subscriptions, originals): (Vec<Member>, Vec<Subscription>, Originals),
    ) -> Result<Option<Self>, Error> {
        let first = changes.iter().map(|change| match change {
            Change::Entry(entry) => entry.seq(),
            Change::Read { mark, .. } => mark.seq,
            Change::Signal { .. } | Change::Opened(_) | Change::User(_) => Seq(u64::MAX),
        });
        let first = first.min().unwrap_or_default();
        let now = cx.clock.now();
        // Who subscribes is served there, also as a member.
        let served = shard.as_ref().is_none_or(|shard| shard.list != List::Subscribers);
        let here = members.iter().filter(|member| served && (member.is_active() || was_here(member, first)));
        let users: Vec<UserId> = here.map(|member| member.user.clone()).collect();
        let members = members.into_iter().map(|member| (member.user.clone(), member)).collect();
        let connections = stream::iter(users)
            .map(|user| async move { cx.store.connections(&user, now).await })
            .buffered(USERS_AT_ONCE)
            .try_collect::<Vec<Vec<Connection>>>();
        // Where nobody subscribes, maybe nobody listens, and the settings are not asked for.
        let (connections, settings) = if subscriptions.is_empty() {
            (connections.await?, None)
        } else {
            let (connections, found) = try_join(connections, cx.store.conversation(&id, true)).await?;
            (connections, Some(found))
        };
        let connections: Vec<Connection> = connections.into_iter().flatten().collect();
        if connections.is_empty() && subscriptions.is_empty() {
            return Ok(None);
        }
        let last = match settings {
            Some(found) => found,
            None => cx.store.conversation(&id, true).await?,
        };
        let last = last.filter(|one| one.number == number);
        let conversation = last.clone().filter(|one| !one.deleted);
        let topic = Topic::of_log(&id);
        Ok(Some(Self {
            id,
            number,
            conversation,
            last,
            topic,
            shard,
            members,
            connections,
            originals,
            now,
            subscriptions,
        }))
    }

    /// The connections that speak this dialect.
    #[must_use]
    pub fn listeners(&self, dialect: Dialect) -> Vec<&Connection> {
        self.connections.iter().filter(|connection| connection.dialect == dialect).collect()
    }

    /// The members who listen in this dialect, each once.
    pub fn hearers(&self, dialect: Dialect) -> impl Iterator<Item = &Member> {
        let of_dialect = self.connections.iter().filter(move |connection| connection.dialect == dialect);
        let users: BTreeSet<&UserId> = of_dialect.map(|connection| &connection.user).collect();
        self.members.values().filter(move |member| users.contains(&member.user))
    }

    /// The connections that speak this dialect and subscribe to the topic.
    pub fn subscribers(&self, dialect: Dialect) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(move |subscription| subscription.connection.dialect == dialect)
    }

    /// The subscriptions of these connections.
    pub fn of_connections(&self, connections: &BTreeSet<String>) -> impl Iterator<Item = &Subscription> {
        let all = if connections.is_empty() { &[] } else { self.subscriptions.as_slice() };
        all.iter().filter(|subscription| connections.contains(&subscription.connection.id))
    }

    /// Whether the member may see the entry.
    #[must_use]
    pub fn sees(&self, member: &Member, entry: &Entry) -> bool {
        self.may_see(&member.user, Some(member), entry)
    }

    /// Whether a user who subscribes may see the entry.
    #[must_use]
    pub fn subscriber_sees(&self, user: &UserId, entry: &Entry) -> bool {
        let reader = Reader { user: Some(user), member: self.members.get(user), powerful: false };
        self.shows(entry, |entry| subscriber_sees(&self.topic, self.last.as_ref(), reader, entry))
    }

    /// Whether a user who subscribes, and may do everything, may see the entry.
    #[must_use]
    pub fn powerful_subscriber_sees(&self, user: &UserId, entry: &Entry) -> bool {
        let reader = Reader { user: Some(user), member: self.members.get(user), powerful: true };
        self.shows(entry, |entry| subscriber_sees(&self.topic, self.last.as_ref(), reader, entry))
    }

    /// Whether a user who subscribes may hear what happens now and is no entry, such as who comes and goes.
    #[must_use]
    pub fn subscriber_hears(&self, user: &UserId) -> bool {
        match (&self.topic, &self.conversation) {
            (Topic::Conversation(_), Some(conversation)) => {
                let member = self.members.get(user);
                let reader = Reader { user: Some(user), member, powerful: false };
                visibility::may_read(conversation, reader, self.now)
            }
            (Topic::Conversation(_), None) => false,
            (Topic::User(_) | Topic::Global, _) => true,
        }
    }

    fn may_see(&self, user: &UserId, member: Option<&Member>, entry: &Entry) -> bool {
        let ended = Openness::new(Visibility::Private);
        let openness = self.last.as_ref().map_or(&ended, |conversation| &conversation.openness);
        let reader = Reader { user: Some(user), member, powerful: false };
        self.shows(entry, |entry| visibility::may_see(openness, reader, entry))
    }

    /// Whether somebody sees an entry, and the message that it shows, if it is an edit.
    fn shows(&self, entry: &Entry, sees: impl Fn(&Entry) -> bool) -> bool {
        sees(entry) && self.originals.origin(entry).is_none_or(sees)
    }
}

async fn originals(cx: &Context, number: Number, changes: &[&Change]) -> Result<Originals, Error> {
    let entries = changes.iter().filter_map(|change| match change {
        Change::Entry(entry) => Some(&**entry),
        _ => None,
    });
    Originals::of(cx, number, entries).await
}

async fn named(cx: &Context, number: Number) -> Result<ConversationId, Error> {
    let id = cx.store.conversation_of(number).await?;
    id.ok_or_else(|| Error::Internal(format!("number {number} names no conversation")))
}

/// The connections that hear of the conversation without having named it: of any, and of open ones if it is taken for
/// one by its settings, which are given back too.
async fn wide_subscribers(
    cx: &Context,
    topic: &Topic,
    is_open: impl Fn(&Conversation) -> bool,
    now: Timestamp,
) -> Result<(Vec<Subscription>, Option<Conversation>), Error> {
    let Topic::Conversation(id) = topic else { return Ok((Vec::new(), None)) };
    let (mut all, settings) =
        try_join(cx.store.wide_subscribers(Wide::All, now), cx.store.conversation(id, true)).await?;
    if settings.as_ref().is_some_and(is_open) {
        all.extend(cx.store.wide_subscribers(Wide::Open, now).await?);
    }
    Ok((all, settings))
}

/// Whether this life of the conversation is open, or was when one of the changes was written.
fn is_or_was_open(one: &Conversation, number: Number, changes: &[&Change]) -> bool {
    let then = changes.iter().any(|change| match change {
        Change::Entry(entry) => one.openness.at(entry.seq()) == Visibility::Open,
        _ => false,
    });
    one.number == number && (then || one.visibility() == Visibility::Open)
}

/// Whether a user who subscribes to the topic may see the entry: a member, as members may; anybody else only
/// what was written while the conversation was open. `last` are the settings of the entry's own life.
#[must_use]
pub fn subscriber_sees(
    topic: &Topic,
    last: Option<&Conversation>,
    reader: Reader<'_>,
    entry: &Entry,
) -> bool {
    let ended = Openness::new(Visibility::Private);
    let openness = last.map_or(&ended, |conversation| &conversation.openness);
    let open = match topic {
        Topic::Conversation(_) => openness.at(shown_since(entry)) == Visibility::Open,
        // One's own, or everybody's: who may subscribe may see.
        Topic::User(_) | Topic::Global => true,
    };
    // A relation without a membership (a ban) opens nothing that is closed.
    let was_member = reader.member.is_some_and(|member| member.joined.0 > 0);
    (open || was_member || reader.powerful) && visibility::may_see(openness, reader, entry)
}

/// Since which entry what it shows is there: a message shows what it was edited to.
fn shown_since(entry: &Entry) -> Seq {
    match &entry.event {
        Event::MessageCreated(message) => message.state.edited.map_or(entry.seq(), |edit| edit.seq),
        _ => entry.seq(),
    }
}

/// Whether somebody who is not a member now was one until the entry `seq` or later. Who was banned without ever
/// having been a member never was here.
fn was_here(member: &Member, seq: Seq) -> bool {
    member.joined > Seq(0) && member.absences.last().is_some_and(|absence| absence.from >= seq)
}

#[cfg(test)]
mod tests {
    use domain::{Role, Timestamp};

    use super::*;

    #[test]
    fn a_stranger_who_is_banned_was_never_here() {
        let mut eve = Member::stranger(UserId::trusted("eve"), Number(1));
        eve.ban(Seq(11), "spam".into(), None);
        assert!(!was_here(&eve, Seq(10)));
        eve.unban(Seq(12));
        assert!(!was_here(&eve, Seq(10)));
        let mut bob = Member::stranger(UserId::trusted("bob"), Number(1));
        bob.join(Role::Member, Seq(2), Timestamp::from_millis(0));
        bob.ban(Seq(11), "spam".into(), None);
        assert!(was_here(&bob, Seq(10)));
        assert!(!was_here(&bob, Seq(12)));
    }
}
