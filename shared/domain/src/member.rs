//! A user's standing in a conversation: member, gone, or banned; and since when.

use serde::{Deserialize, Serialize};

use crate::{Number, Seq, Timestamp, UserId, limits, ranges::Ranges};

/// What a member may do. In order: a later one is higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also bans, kicks, and deletes messages.
    Moderator,
    /// Also adds, removes, pins, and changes settings.
    Admin,
    /// Also deletes the conversation.
    Owner,
}

impl Role {
    /// The role's name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// How a user stands to a conversation now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A member.
    Active,
    /// Was a member, and left or was removed; or never was one.
    Gone,
    /// Banned. A ban with an end is over when its time has come, without an entry.
    Banned,
}

/// A time during which a user was not there, by entry numbers: after `from`, before `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The entry that removed or banned. It is itself still seen.
    pub from: Seq,
    /// The entry that brought the user back; none as long as that has not happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Seq>,
    /// A ban, which hides an open conversation too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ban: bool,
    /// When the ban is over by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The relation of one user to one conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The conversation's number.
    pub number: Number,
    /// How the user stands now.
    pub standing: Standing,
    /// The role, while a member.
    pub role: Role,
    /// When the user first came, or last came back.
    pub joined_at: Timestamp,
    /// The entry that brought the user in; unread counts start after it.
    pub joined: Seq,
    /// When the user was away, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absences: Vec<Absence>,
    /// Messages whose own copy the user deleted, by their entries.
    #[serde(default, skip_serializing_if = "Ranges::is_empty")]
    pub hidden: Ranges,
    /// The user has it pinned among the own conversations.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Why the user is banned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motive: Option<String>,
}

impl Member {
    /// Somebody who has had nothing to do with the conversation yet.
    #[must_use]
    pub fn stranger(user: UserId, number: Number) -> Self {
        Self {
            user,
            number,
            standing: Standing::Gone,
            role: Role::Member,
            joined_at: Timestamp::default(),
            joined: Seq(0),
            absences: Vec::new(),
            hidden: Ranges::default(),
            pinned: false,
            motive: None,
        }
    }

    /// Whether the user is a member now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// Whether the user is banned at `now`.
    #[must_use]
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.standing == Standing::Banned
            && self.absences.last().is_none_or(|absence| absence.until.is_none_or(|until| now < until))
    }

    /// Becomes a member with the entry `seq`.
    pub fn join(&mut self, role: Role, seq: Seq, now: Timestamp) {
        self.end_absence(seq);
        self.standing = Standing::Active;
        self.role = role;
        self.joined = seq;
        self.joined_at = now;
        self.pinned = false;
        self.motive = None;
    }

    /// Is no longer a member after the entry `seq`.
    pub fn leave(&mut self, seq: Seq) {
        self.standing = Standing::Gone;
        self.role = Role::Member;
        self.absent(Absence { from: seq, to: None, ban: false, until: None });
    }

    /// Is banned with the entry `seq`.
    pub fn ban(&mut self, seq: Seq, motive: String, until: Option<Timestamp>) {
        self.end_absence(seq);
        self.standing = Standing::Banned;
        self.role = Role::Member;
        self.motive = Some(motive);
        self.absent(Absence { from: seq, to: None, ban: true, until });
    }

    /// Is no longer banned with the entry `seq`; a member only after joining again.
    pub fn unban(&mut self, seq: Seq) {
        self.end_absence(seq);
        self.standing = Standing::Gone;
        self.motive = None;
        self.absent(Absence { from: seq, to: None, ban: false, until: None });
    }

    fn end_absence(&mut self, seq: Seq) {
        if let Some(last) = self.absences.last_mut()
            && last.to.is_none()
        {
            last.to = Some(seq);
        }
    }

    fn absent(&mut self, absence: Absence) {
        if self.absences.len() >= limits::RANGES_PER_MEMBER
            && let [first, second, ..] = self.absences.as_mut_slice()
        {
            // Too many: the two oldest become one, with what lies between them. It hides more, never less.
            second.from = first.from;
            second.ban |= first.ban;
            second.until = None;
            self.absences.remove(0);
        }
        self.absences.push(absence);
    }
}
