//! Who may see and do what, said again from the contract ("Who may", "What a member sees", "Smaller ones") and by
//! nothing of the program's: a conversation's log is gone through from its first entry, and every user's standing
//! at every entry is kept.

use std::collections::BTreeMap;

use super::log::{Audience, Entry, Event, Log};

/// How a user stands to a conversation after some entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Never had to do with it.
    Stranger,
    /// Was removed, or left, or is no longer banned.
    Gone,
    /// Banned.
    Banned,
    /// A member, of that rank: member, moderator, admin, owner.
    Member(u8),
}

/// What the contract says of a user and an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// It must never be seen.
    Never,
    /// It may be seen or not: the contract leaves it open.
    May,
    /// It is to be seen.
    Must,
}

/// What is true of a conversation, entry by entry.
#[derive(Debug, Clone)]
pub struct Oracle {
    log: Log,
    /// Of each user, the standings, each from its entry on.
    standings: BTreeMap<String, Vec<(u64, Standing)>>,
    /// The visibility, from its entry on.
    visibility: Vec<(u64, String)>,
    /// Of each user, the messages whose own copy was deleted, and by which entry.
    hidden: BTreeMap<String, BTreeMap<u64, u64>>,
    /// The messages that were taken back, and by which entry.
    recalled: BTreeMap<u64, u64>,
    ended: Option<u64>,
}

fn rank(role: &str) -> u8 {
    match role {
        "owner" => 3,
        "admin" => 2,
        "moderator" => 1,
        _ => 0,
    }
}

impl Oracle {
    /// Goes through a conversation's log.
    #[must_use]
    pub fn new(log: &Log, visibility: &str) -> Self {
        let mut oracle = Self {
            log: log.clone(),
            standings: BTreeMap::new(),
            visibility: vec![(0, visibility.to_owned())],
            hidden: BTreeMap::new(),
            recalled: BTreeMap::new(),
            ended: None,
        };
        for entry in log.entries.values() {
            oracle.take(entry);
        }
        oracle
    }

    /// What is true of a log of notices: a user's own is that user's alone, another is everybody's.
    #[must_use]
    pub fn of_notices(log: &Log, owner: Option<&str>) -> Self {
        let mut oracle = Self::new(log, if owner.is_some() { "private" } else { "open" });
        if let Some(user) = owner {
            oracle.stands(user, 1, Standing::Member(0));
        }
        oracle
    }

    fn stands(&mut self, user: &str, seq: u64, standing: Standing) {
        self.standings.entry(user.to_owned()).or_default().push((seq, standing));
    }

    fn take(&mut self, entry: &Entry) {
        let seq = entry.seq;
        match &entry.event {
            Event::Created(members) => {
                for user in members {
                    let owner = entry.actor.as_ref() == Some(user);
                    self.stands(user, seq, Standing::Member(if owner { 3 } else { 0 }));
                }
            }
            Event::Added(members, _) => {
                members.iter().for_each(|user| self.stands(user, seq, Standing::Member(0)));
            }
            Event::Removed(members, _) => {
                members.iter().for_each(|user| self.stands(user, seq, Standing::Gone));
            }
            Event::Role(user, role) => self.stands(user, seq, Standing::Member(rank(role))),
            Event::Banned(user) => self.stands(user, seq, Standing::Banned),
            Event::Unbanned(user) => self.stands(user, seq, Standing::Gone),
            Event::Updated(Some(visibility), _) => self.visibility.push((seq, visibility.clone())),
            Event::CopiesDeleted { user, ranges } => {
                let hidden = self.hidden.entry(user.clone()).or_default();
                for (from, to) in ranges {
                    (*from..=*to).for_each(|gone| {
                        hidden.entry(gone).or_insert(seq);
                    });
                }
            }
            Event::About { what, seq: message, .. } if what == "message_recalled" => {
                self.recalled.insert(*message, seq);
            }
            Event::Deleted => self.ended = Some(seq),
            Event::About { .. } | Event::Message { .. } | Event::Updated(None, _) | Event::Notice { .. } => {}
        }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// How the user stands after the entry `seq`.
    #[must_use]
    pub fn standing(&self, user: &str, seq: u64) -> Standing {
        let standings = self.standings.get(user).into_iter().flatten();
        standings.take_while(|(from, _)| *from <= seq).last().map_or(Standing::Stranger, |(_, one)| *one)
    }

    /// The visibility after the entry `seq`.
    #[must_use]
    pub fn visibility(&self, seq: u64) -> &str {
        let all = self.visibility.iter();
        all.take_while(|(from, _)| *from <= seq).last().map_or("private", |(_, one)| one)
    }

    /// Whether the message was taken back in the end.
    #[must_use]
    pub fn is_recalled(&self, message: u64) -> bool {
        self.recalled.contains_key(&message)
    }

    /// When the message was taken back, in the world's milliseconds.
    #[must_use]
    pub fn recalled_since(&self, message: u64) -> Option<u64> {
        self.log.entries.get(self.recalled.get(&message)?).map(|entry| entry.committed)
    }

    /// Whether the user may look into the conversation after the entry `seq`.
    #[must_use]
    pub fn may_read(&self, user: &str, seq: u64) -> bool {
        if self.ended.is_some_and(|ended| ended <= seq) {
            return false;
        }
        match self.standing(user, seq) {
            Standing::Member(_) => true,
            Standing::Banned => false,
            Standing::Stranger | Standing::Gone => self.visibility(seq) == "open",
        }
    }

    /// The last entry that was committed at that time.
    #[must_use]
    pub fn tail(&self, at: u64) -> u64 {
        let before = self.log.entries.values().take_while(|entry| entry.committed <= at);
        before.last().map_or(0, |entry| entry.seq)
    }

    /// Whether the user might look into it at some moment from `from` to `to`.
    #[must_use]
    pub fn might_read(&self, user: &str, from: u64, to: u64) -> bool {
        (self.tail(from)..=self.tail(to)).any(|seq| self.may_read(user, seq))
    }

    /// Whether the user was away when the entry was written: gone or banned before it and not back with it.
    fn away(&self, user: &str, seq: u64) -> Sight {
        let before = self.standing(user, seq.saturating_sub(1));
        let after = self.standing(user, seq);
        if matches!(before, Standing::Member(_)) || matches!(after, Standing::Member(_)) {
            return Sight::Must;
        }
        let event = self.log.entries.get(&seq).map(|entry| &entry.event);
        if matches!(event, Some(Event::Banned(whose) | Event::Unbanned(whose)) if whose == user) {
            // The very entries that begin and end a ban.
            return Sight::May;
        }
        match before {
            Standing::Stranger | Standing::Member(_) => Sight::Must,
            Standing::Gone if self.visibility(seq) == "open" => Sight::Must,
            Standing::Gone | Standing::Banned => Sight::Never,
        }
    }

    fn for_whom(audience: &Audience, user: &str) -> Sight {
        let is_in = |users: &[String]| users.iter().any(|one| one == user);
        if audience.author == user {
            // Excluding oneself suppresses the live frame, and nothing else.
            return if is_in(&audience.except) { Sight::May } else { Sight::Must };
        }
        if is_in(&audience.except) || !(audience.only.is_empty() || is_in(&audience.only)) {
            return Sight::Never;
        }
        Sight::Must
    }

    /// What the user may see of the entry, as a member of the end or as somebody who was one then: what was
    /// written before one first joined is to be seen as well.
    #[must_use]
    pub fn sight(&self, user: &str, seq: u64) -> Sight {
        let Some(entry) = self.log.entries.get(&seq) else { return Sight::Never };
        let mut away = self.away(user, seq);
        if self.visibility(seq) != "open" && self.first_joined(user).is_none_or(|joined| seq < joined) {
            // From before the user first came, or it was opened: a list shows it then, and no frame need.
            away = away.min(if self.let_in(user, seq).is_some() { Sight::May } else { Sight::Never });
        }
        if away == Sight::Never {
            return Sight::Never;
        }
        let hidden = self.hidden.get(user);
        match &entry.event {
            Event::Message { audience, .. } => {
                let gone =
                    hidden.is_some_and(|hidden| hidden.contains_key(&seq)) || self.rewritten(user, seq);
                let sight = Self::for_whom(audience, user).min(away);
                if gone { sight.min(Sight::May) } else { sight }
            }
            Event::About { seq: message, audience, .. } => {
                let deleted = hidden.and_then(|hidden| hidden.get(message).or_else(|| hidden.get(&seq)));
                let of_message =
                    if audience.author == user { Sight::Must } else { self.away(user, *message) };
                let sight = Self::for_whom(audience, user).min(away).min(of_message);
                match deleted {
                    Some(by) if *by < seq => Sight::Never,
                    Some(_) => sight.min(Sight::May),
                    None if self.rewritten(user, *message) => sight.min(Sight::May),
                    None => sight,
                }
            }
            Event::CopiesDeleted { user: whose, .. } if whose != user => Sight::Never,
            _ if hidden.is_some_and(|hidden| hidden.contains_key(&seq)) => away.min(Sight::May),
            _ => away,
        }
    }

    /// Whether the message was edited when the user was away, or not yet let in: nothing is left of what it was before.
    fn rewritten(&self, user: &str, message: u64) -> bool {
        self.log.entries.values().any(|entry| match &entry.event {
            Event::About { what, seq, .. } if what == "message_edited" && *seq == message => {
                let before_joining = self.first_joined(user).is_none_or(|joined| entry.seq < joined);
                let outside = self.visibility(entry.seq) != "open" && before_joining;
                outside || self.away(user, entry.seq) == Sight::Never
            }
            _ => false,
        })
    }

    /// The first entry after `seq` that opened the conversation to everybody.
    fn opened(&self, seq: u64) -> Option<u64> {
        let mut later = self.visibility.iter().filter(|(from, _)| *from > seq);
        later.find(|(_, visibility)| visibility == "open").map(|(from, _)| *from)
    }

    /// Since when what was written at `seq` may be seen by who first comes later: the user joined, or it was opened
    /// to everybody. None if it never was.
    #[must_use]
    pub fn let_in(&self, user: &str, seq: u64) -> Option<u64> {
        if self.visibility(seq) == "open" {
            return Some(0);
        }
        let entries = [self.first_joined(user), self.opened(seq)].into_iter().flatten();
        entries.filter_map(|seq| self.log.entries.get(&seq)).map(|entry| entry.committed).min()
    }

    /// The entry with which the user first became a member.
    #[must_use]
    pub fn first_joined(&self, user: &str) -> Option<u64> {
        let mut all = self.standings.get(user).into_iter().flatten();
        all.find(|(_, one)| matches!(one, Standing::Member(_))).map(|(seq, _)| *seq)
    }

    /// When the user's own copy of the message was deleted, in the world's milliseconds.
    #[must_use]
    pub fn hidden_since(&self, user: &str, message: u64) -> Option<u64> {
        let by = self.hidden.get(user)?.get(&message)?;
        self.log.entries.get(by).map(|entry| entry.committed)
    }

    /// The messages that a list shows the user at the end: seen, not recalled, the own copy not deleted.
    #[must_use]
    pub fn listed(&self, user: &str) -> Vec<String> {
        let shown = self.log.entries.values().filter_map(|entry| {
            let Event::Message { id, audience, .. } = &entry.event else { return None };
            let hidden = self.hidden.get(user).is_some_and(|hidden| hidden.contains_key(&entry.seq));
            let for_them = audience.author == user || Self::for_whom(audience, user) == Sight::Must;
            let seen = for_them && self.away(user, entry.seq) != Sight::Never;
            (seen && !hidden && !self.recalled.contains_key(&entry.seq)).then(|| id.clone())
        });
        shown.collect()
    }

    /// When the conversation ended, in the world's milliseconds.
    #[must_use]
    pub fn ended(&self) -> Option<u64> {
        self.log.entries.get(&self.ended?).map(|entry| entry.committed)
    }

    /// Whether the channels dialect has a word for the entry.
    #[must_use]
    pub fn channels_tells(&self, seq: u64) -> bool {
        match self.log.entries.get(&seq).map(|entry| &entry.event) {
            Some(Event::About { what, .. }) => matches!(what.as_str(), "message_edited" | "message_recalled"),
            Some(Event::Updated(_, told)) => *told,
            Some(Event::CopiesDeleted { .. } | Event::Created(_)) | None => false,
            Some(_) => true,
        }
    }

    /// Why whoever wrote the entry was not permitted to; none if it was permitted.
    #[must_use]
    pub fn forbidden(&self, entry: &Entry) -> Option<String> {
        let actor = entry.actor.as_ref().filter(|_| !entry.by_server)?;
        let before = entry.seq.saturating_sub(1);
        let standing = self.standing(actor, before);
        let rank = |needed: u8| matches!(standing, Standing::Member(rank) if rank >= needed);
        let over = |user: &String| match self.standing(user, before) {
            Standing::Member(theirs) => rank(theirs + 1),
            _ => true,
        };
        let writes = rank(0) || (standing != Standing::Banned && self.visibility(before) == "open");
        let permitted = match &entry.event {
            Event::Message { .. } => writes,
            Event::About { what, audience, .. } => match what.as_str() {
                "message_edited" => writes && audience.author == *actor,
                "message_recalled" => writes && (audience.author == *actor || rank(1)),
                "message_pinned" | "message_unpinned" => rank(2),
                _ => writes,
            },
            Event::CopiesDeleted { user, .. } => {
                user == actor && rank(0) && self.visibility(before) == "private"
            }
            Event::Updated(..) => rank(2),
            Event::Deleted => rank(3),
            Event::Added(members, how) if how == "joined" => {
                let own = members.iter().all(|user| user == actor);
                own && standing != Standing::Banned && self.visibility(before) != "private"
            }
            Event::Added(members, _) => {
                let free = |user: &String| self.standing(user, before) != Standing::Banned;
                rank(2) && members.iter().all(free)
            }
            Event::Removed(members, how) if how == "left" => members.iter().all(|user| user == actor),
            Event::Removed(members, how) => {
                rank(if how == "kicked" { 1 } else { 2 }) && members.iter().all(over)
            }
            Event::Role(user, role) => rank(2) && over(user) && rank(self::rank(role)),
            Event::Banned(user) => rank(1) && over(user),
            Event::Unbanned(_) => rank(1),
            Event::Created(_) | Event::Notice { .. } => true,
        };
        let after_end = self.ended.is_some_and(|ended| ended < entry.seq);
        (!permitted || after_end).then(|| {
            format!("{actor}, {standing:?}, was not permitted entry {}: {:?}", entry.seq, entry.event)
        })
    }
}
