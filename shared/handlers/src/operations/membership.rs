//! Who is in a conversation: joining, leaving, adding, removing, roles, bans.

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Event, Member, Role, Timestamp, UserId, Visibility,
    entry::{Arrival, Departure},
    limits,
    permission::Actor,
};
use store::{Write, conversation, member};

use super::{
    access,
    commit::{self, NO_CONVERSATION, Operation, Plan, Seen},
};
use crate::{auth::Caller, call, context::Context};

/// Users of one entry: each takes two items of a transaction, the entry and the settings one each.
const USERS_PER_ENTRY: usize = 45;

/// Adds users. Who is a member already stays one. A banned user cannot be added.
///
/// With [`Arrival::Joined`] the users are the caller alone.
///
/// # Errors
/// [`Error::Forbidden`] unless by an admin, or by oneself where it is not private.
pub async fn add(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    users: &[UserId],
    how: Arrival,
) -> Result<(), Error> {
    if users.len() > USERS_PER_ENTRY {
        let now = cx.clock.now();
        may_change(cx, caller, id, users, Role::Admin, |_, target| not_banned(target, now)).await?;
    }
    for chunk in users.chunks(USERS_PER_ENTRY) {
        commit::commit(cx, caller, dialect, id, &Add { users: chunk, how }).await?;
    }
    Ok(())
}

struct Add<'a> {
    users: &'a [UserId],
    how: Arrival,
}

impl Operation for Add<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        match self.how {
            Arrival::Joined => seen.actor().may_join(&seen.conversation, seen.at)?,
            Arrival::Added | Arrival::Founded => seen.actor().needs(Role::Admin)?,
        }
        not_direct(&seen.conversation)?;
        let mut changed = Standings::new(seen, self.users).await?;
        changed.retain(|member| !member.is_active());
        changed.iter().try_for_each(|member| not_banned(member, seen.at))?;
        changed.plan(
            seen,
            |members| {
                let named = named_beside(self.users, &members);
                Event::MembersAdded { members, how: self.how, named }
            },
            |member, entry| member.join(Role::Member, entry.seq(), entry.at),
        )
    }
}

/// Refuses who is not at least a `role` of the conversation, before anything else is looked up for the call: who
/// may not add or ban is not told which users there are. What counts is what is true at the log's tail.
///
/// # Errors
/// [`Error::NotFound`] if there is no such conversation, [`Error::Forbidden`].
pub async fn may_act(cx: &Context, caller: &Caller, id: &ConversationId, role: Role) -> Result<(), Error> {
    if caller.powerful {
        return Ok(());
    }
    access::glance(cx, caller, id).await?.actor().needs(role)
}

/// Refuses, before the first of several users is banned, who may not ban them all.
///
/// # Errors
/// As [`ban`].
pub async fn may_ban(
    cx: &Context,
    caller: &Caller,
    id: &ConversationId,
    users: &[UserId],
) -> Result<(), Error> {
    let role = Role::Moderator;
    may_change(cx, caller, id, users, role, |actor, target| actor.needs_over(role, Some(target))).await
}

/// Refuses, before the first of several entries, what one of them would be refused for: bad input changes nothing. What
/// becomes so between the entries is refused then.
async fn may_change(
    cx: &Context,
    caller: &Caller,
    id: &ConversationId,
    users: &[UserId],
    role: Role,
    allowed: impl Fn(Actor<'_>, &Member) -> Result<(), Error>,
) -> Result<(), Error> {
    let view = access::glance(cx, caller, id).await?;
    not_direct(&view.conversation)?;
    view.actor().needs(role)?;
    let standings = cx.store.members_among(id, users).await?;
    let mut of_this_life = standings.iter().filter(|target| target.number == view.conversation.number);
    of_this_life.try_for_each(|target| allowed(view.actor(), target))
}

fn not_banned(target: &Member, now: Timestamp) -> Result<(), Error> {
    if target.is_banned(now) && !target.is_active() {
        return Err(Error::Forbidden("A banned user cannot be added: lift the ban first."));
    }
    Ok(())
}

/// Removes users; leaving is removing oneself. Who is no member is left out.
///
/// # Errors
/// [`Error::Forbidden`] unless by somebody of a higher role (kick: moderator, remove: admin), or oneself.
pub async fn remove(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    users: &[UserId],
    how: Departure,
) -> Result<(), Error> {
    if users.len() > USERS_PER_ENTRY {
        let role = Role::Member;
        may_change(cx, caller, id, users, role, |actor, target| may_remove(actor, target, how)).await?;
    }
    for chunk in users.chunks(USERS_PER_ENTRY) {
        commit::commit(cx, caller, dialect, id, &Remove { users: chunk, how }).await?;
    }
    Ok(())
}

struct Remove<'a> {
    users: &'a [UserId],
    how: Departure,
}

impl Operation for Remove<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        not_direct(&seen.conversation)?;
        let mut changed = Standings::new(seen, self.users).await?;
        changed.iter().try_for_each(|target| may_remove(seen.actor(), target, self.how))?;
        changed.retain(Member::is_active);
        changed.plan(
            seen,
            |members| {
                let named = named_beside(self.users, &members);
                Event::MembersRemoved { members, how: self.how, named }
            },
            |member, entry| member.leave(entry.seq()),
        )
    }
}

fn may_remove(actor: Actor<'_>, target: &Member, how: Departure) -> Result<(), Error> {
    match how {
        Departure::Left => actor.needs(Role::Member),
        Departure::Removed => actor.needs_over(Role::Admin, Some(target)),
        Departure::Kicked => actor.needs_over(Role::Moderator, Some(target)),
    }
}

/// Gives a member another role.
///
/// # Errors
/// [`Error::Forbidden`] unless by somebody of a higher role than the member has and gets; [`Error::NotFound`]
/// if the user is no member.
pub async fn set_role(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    user: &UserId,
    change: RoleChange,
) -> Result<(), Error> {
    commit::commit(cx, caller, dialect, id, &SetRole { user, change }).await
}

/// How a role changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// To this one.
    Set(Role),
    /// To admin, where it is less.
    Promote,
    /// From admin to member, where it is admin.
    Demote,
}

struct SetRole<'a> {
    user: &'a UserId,
    change: RoleChange,
}

impl Operation for SetRole<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        seen.actor().needs(Role::Admin)?;
        let target = seen.standing(self.user).await?.filter(Member::is_active);
        let Some(mut target) = target else { return Err(Error::NotFound("Member")) };
        // Making an admin of one who is more than that takes nothing away; taking the admin's role away from one
        // who has another leaves that alone.
        let as_it_is = match self.change {
            RoleChange::Set(role) => target.role == role,
            RoleChange::Promote => target.role >= Role::Admin,
            RoleChange::Demote => target.role != Role::Admin,
        };
        if as_it_is {
            return Ok(Plan::Nothing(()));
        }
        let role = match self.change {
            RoleChange::Set(role) => role,
            RoleChange::Promote => Role::Admin,
            RoleChange::Demote => Role::Member,
        };
        seen.actor().needs_over(Role::Admin, Some(&target))?;
        // Nobody hands out more than the own role.
        seen.actor().needs(role)?;
        target.role = role;
        let entry = seen.entry(0, Event::RoleChanged { user: self.user.clone(), role })?;
        Ok(Plan::Append(vec![entry], vec![member::put(&seen.conversation.id, &target)?], ()))
    }
}

/// Bans a user, member or not. A ban that stands already is replaced.
///
/// # Errors
/// [`Error::Forbidden`] unless by a moderator of a higher role.
pub async fn ban(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    user: &UserId,
    motive: &str,
    until: Option<Timestamp>,
) -> Result<(), Error> {
    if motive.len() > limits::PROFILE_BYTES / 4 {
        return Err(Error::TooLarge { what: "The motive", limit: limits::PROFILE_BYTES / 4 });
    }
    commit::commit(cx, caller, dialect, id, &Ban { user, motive, until }).await
}

struct Ban<'a> {
    user: &'a UserId,
    motive: &'a str,
    until: Option<Timestamp>,
}

impl Operation for Ban<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        not_direct(&seen.conversation)?;
        let target = seen.standing(self.user).await?;
        seen.actor().needs_over(Role::Moderator, target.as_ref())?;
        let mut target =
            target.unwrap_or_else(|| Member::stranger(self.user.clone(), seen.conversation.number));
        let member = target.is_active();
        let event = Event::Banned {
            user: self.user.clone(),
            motive: self.motive.to_owned(),
            until: self.until,
            member,
        };
        let (entry, after) = seen.settings_entry(0, event, |after, _| {
            after.members = after.members.saturating_sub(u64::from(member));
        })?;
        target.ban(entry.seq(), self.motive.to_owned(), self.until);
        let id = &seen.conversation.id;
        let mut writes = vec![member::put(id, &target)?, member::delist(id, self.user)];
        // The number of members is part of the settings.
        writes.push(conversation::put(&after)?);
        Ok(Plan::Append(vec![entry], writes, ()))
    }
}

/// Lifts a ban. Who is not banned stays so.
///
/// # Errors
/// [`Error::Forbidden`] unless by a moderator.
pub async fn unban(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    user: &UserId,
    motive: &str,
) -> Result<(), Error> {
    commit::commit(cx, caller, dialect, id, &Unban { user, motive }).await
}

struct Unban<'a> {
    user: &'a UserId,
    motive: &'a str,
}

impl Operation for Unban<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        seen.actor().needs(Role::Moderator)?;
        let Some(mut target) = seen.standing(self.user).await?.filter(|member| member.is_banned(seen.at))
        else {
            return Ok(Plan::Nothing(()));
        };
        let event = Event::Unbanned { user: self.user.clone(), motive: self.motive.to_owned() };
        let entry = seen.entry(0, event)?;
        target.unban(entry.seq());
        Ok(Plan::Append(vec![entry], vec![member::put(&seen.conversation.id, &target)?], ()))
    }
}

/// Whether the member wants no notifications; it is nobody else's business, so it takes no entry.
///
/// # Errors
/// [`Error::Forbidden`] unless by a member.
pub async fn mute(cx: &Context, caller: &Caller, id: &ConversationId, muted: bool) -> Result<(), Error> {
    let user = caller.user()?;
    let view = access::view(cx, caller, id).await?;
    if !view.member.as_ref().is_some_and(Member::is_active) {
        return Err(Error::Forbidden("Only members of the conversation may do this."));
    }
    cx.store.set_muted(id, view.conversation.number, user, muted).await
}

/// The caller watches a conversation that is not private.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] where it is private, and to who is banned.
pub async fn watch(cx: &Context, caller: &Caller, id: &ConversationId) -> Result<(), Error> {
    let user = caller.user()?;
    let glance = access::glance(cx, caller, id).await?;
    if glance.conversation.visibility() == Visibility::Private {
        return Err(Error::Forbidden("A private conversation cannot be watched."));
    }
    cx.store.start_watching(id, glance.conversation.number, user, cx.clock.now()).await
}

/// The caller watches a conversation no longer. That is for everybody: also for who may not look into it any more.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn stop_watching(cx: &Context, caller: &Caller, id: &ConversationId) -> Result<(), Error> {
    let user = caller.user()?;
    call::is_about(id);
    let conversation = cx.store.conversation(id, true).await?;
    if conversation.is_none_or(|conversation| conversation.deleted) {
        return Err(NO_CONVERSATION);
    }
    cx.store.stop_watching(id, user).await
}

/// Whom the caller named, if that was not just those whom it changed, in their order.
fn named_beside(named: &[UserId], changed: &[UserId]) -> Vec<UserId> {
    if named == changed { Vec::new() } else { named.to_vec() }
}

fn not_direct(conversation: &Conversation) -> Result<(), Error> {
    if conversation.is_direct() {
        return Err(Error::Forbidden("Nobody joins or leaves a one-to-one conversation."));
    }
    Ok(())
}

/// The standings of several users, to be changed by one entry.
struct Standings(Vec<Member>);

impl Standings {
    async fn new(seen: &Seen<'_>, users: &[UserId]) -> Result<Self, Error> {
        let found = seen.store.members_among(&seen.conversation.id, users).await?;
        let number = seen.conversation.number;
        let standing = |user: &UserId| {
            let known = found.iter().find(|member| member.user == *user && member.number == number);
            known.cloned().unwrap_or_else(|| Member::stranger(user.clone(), number))
        };
        let mut users: Vec<&UserId> = users.iter().collect();
        users.sort();
        users.dedup();
        Ok(Self(users.into_iter().map(standing).collect()))
    }

    fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    fn retain(&mut self, keep: impl Fn(&Member) -> bool) {
        self.0.retain(keep);
    }

    /// One entry for all of them, with the settings that count the members.
    fn plan(
        self,
        seen: &Seen<'_>,
        event: impl FnOnce(Vec<UserId>) -> Event,
        change: impl Fn(&mut Member, &Entry),
    ) -> Result<Plan<()>, Error> {
        if self.0.is_empty() {
            return Ok(Plan::Nothing(()));
        }
        let users = self.0.iter().map(|member| member.user.clone()).collect();
        let count = u64::try_from(self.0.len()).unwrap_or(0);
        let joined = !self.0.iter().any(Member::is_active);
        let (entry, after) = seen.settings_entry(0, event(users), |after, _| {
            after.members = if joined { after.members + count } else { after.members.saturating_sub(count) };
        })?;
        let id = &seen.conversation.id;
        let mut writes: Vec<Write> = vec![conversation::put(&after)?];
        for mut member in self.0 {
            change(&mut member, &entry);
            writes.push(member::put(id, &member)?);
            writes.push(if member.is_active() {
                member::enlist(id, &member)
            } else {
                member::delist(id, &member.user)
            });
        }
        Ok(Plan::Append(vec![entry], writes, ()))
    }
}
