//! What is known about a conversation when something of it is delivered: its settings, its members, and the
//! connections of those who may hear of it.

use std::collections::BTreeMap;

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Member, Number, Seq, UserId, Visibility,
    conversation::Openness,
    visibility::{self, Reader},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{change::Change, connection::Connection};

use crate::context::Context;

/// Users whose connections are asked for at once.
const USERS_AT_ONCE: usize = 32;

/// A conversation, set for one batch of changes.
#[derive(Debug)]
pub struct Stage {
    /// Its id.
    pub id: ConversationId,
    /// Its number.
    pub number: Number,
    /// Its settings; none if this life of it is over.
    pub conversation: Option<Conversation>,
    /// All who are members, and all who ceased to be with one of these changes or after it.
    pub members: BTreeMap<UserId, Member>,
    connections: Vec<Connection>,
}

impl Stage {
    /// Sets the stage; none if nobody listens.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Internal`].
    pub async fn set(cx: &Context, number: Number, changes: &[&Change]) -> Result<Option<Self>, Error> {
        let id = cx.store.conversation_of(number).await?;
        let id = id.ok_or_else(|| Error::Internal(format!("number {number} names no conversation")))?;
        let first = changes.iter().map(|change| match change {
            Change::Entry(entry) => entry.seq(),
            Change::Read { mark, .. } => mark.seq,
            Change::Signal { .. } => Seq(u64::MAX),
        });
        let first = first.min().unwrap_or_default();
        let members = cx.store.members(&id, number).await?;
        let members: BTreeMap<UserId, Member> = members
            .into_iter()
            .filter(|member| member.is_active() || was_here(member, first))
            .map(|member| (member.user.clone(), member))
            .collect();
        let now = cx.clock.now();
        let users: Vec<UserId> = members.keys().cloned().collect();
        let connections: Vec<Vec<Connection>> = stream::iter(users)
            .map(|user| async move { cx.store.connections(&user, now).await })
            .buffered(USERS_AT_ONCE)
            .try_collect()
            .await?;
        let connections: Vec<Connection> = connections.into_iter().flatten().collect();
        if connections.is_empty() {
            return Ok(None);
        }
        let conversation = cx.store.conversation(&id, true).await?;
        let conversation = conversation.filter(|one| one.number == number && !one.deleted);
        Ok(Some(Self { id, number, conversation, members, connections }))
    }

    /// The connections that speak this dialect.
    #[must_use]
    pub fn listeners(&self, dialect: Dialect) -> Vec<&Connection> {
        self.connections.iter().filter(|connection| connection.dialect == dialect).collect()
    }

    /// The members who listen in this dialect, each once.
    pub fn hearers(&self, dialect: Dialect) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| {
            self.connections
                .iter()
                .any(|connection| connection.dialect == dialect && connection.user == member.user)
        })
    }

    /// Whether the member may see the entry.
    #[must_use]
    pub fn sees(&self, member: &Member, entry: &Entry) -> bool {
        let ended = Openness::new(Visibility::Private);
        let openness = self.conversation.as_ref().map_or(&ended, |conversation| &conversation.openness);
        let reader = Reader { user: Some(&member.user), member: Some(member), powerful: false };
        visibility::may_see(openness, reader, entry)
    }
}

/// Whether somebody who is not a member now was one until the entry `seq` or later.
fn was_here(member: &Member, seq: Seq) -> bool {
    member.absences.last().is_some_and(|absence| absence.from >= seq)
}
