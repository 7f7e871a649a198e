//! Conversations and their members.

use std::collections::BTreeMap;

use domain::{Conversation, ConversationId, Member, Object, Role, UserId, Visibility};
use serde::Serialize;

use super::{
    Scene, message,
    user::{self, Brief},
};

/// A conversation, as one reader sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    id: &'a ConversationId,
    r#type: &'static str,
    title: Option<&'a str>,
    is_group: bool,
    custom_type: Option<&'a str>,
    profile_image_url: Option<&'a str>,
    owner_id: Option<&'a UserId>,
    member_count: u64,
    config: &'a Object,
    meta_data: &'a Object,
    created_at: String,
    updated_at: String,
    is_active: bool,
    is_admin: bool,
    is_deleted: bool,
    mute: bool,
    unread_message_count: u64,
    last_read_at: BTreeMap<&'a UserId, String>,
    last_message: Option<message::Wire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Brief>,
    watchers_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<MemberWire<'a>>>,
}

/// What a reader's view of a conversation adds to it.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// Whose view it is.
    pub reader: Option<&'a UserId>,
    /// The reader's standing.
    pub member: Option<&'a Member>,
    /// The reader wants no notifications.
    pub muted: bool,
    /// What the reader has not read.
    pub unread: u64,
    /// How far each member has read.
    pub read: BTreeMap<&'a UserId, String>,
    /// The newest message that the reader may see.
    pub last: Option<message::Wire<'a>>,
    /// Users who watch it.
    pub watchers: u64,
    /// The members, where they are wanted.
    pub members: Option<&'a [Member]>,
}

/// A conversation.
#[must_use]
pub fn conversation<'a>(it: &'a Conversation, facts: Facts<'a>, scene: &'a Scene) -> Wire<'a> {
    let active = facts.member.filter(|member| member.is_active());
    Wire {
        id: &it.id,
        r#type: kind(it.visibility()),
        title: it.title.as_deref(),
        is_group: !it.is_direct(),
        custom_type: it.custom_type.as_deref(),
        profile_image_url: it.image_url.as_deref(),
        owner_id: it.owner.as_ref(),
        member_count: it.members,
        config: &it.config,
        meta_data: &it.meta,
        created_at: it.created_at.to_iso(),
        updated_at: it.updated_at.to_iso(),
        is_active: active.is_some(),
        is_admin: active.is_some_and(|member| member.role >= Role::Admin),
        is_deleted: it.deleted,
        mute: facts.muted,
        unread_message_count: facts.unread,
        last_read_at: facts.read,
        last_message: facts.last,
        user: facts.reader.and_then(|reader| it.peer_of(reader)).map(|peer| user::brief(peer, scene)),
        watchers_count: facts.watchers,
        members: facts.members.map(|members| members.iter().map(|one| member(one, scene)).collect()),
    }
}

/// A member.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberWire<'a> {
    user_id: &'a UserId,
    is_admin: bool,
    role: &'static str,
    created_at: String,
    user: Brief,
}

/// A member.
#[must_use]
pub fn member<'a>(member: &'a Member, scene: &Scene) -> MemberWire<'a> {
    MemberWire {
        user_id: &member.user,
        is_admin: member.role >= Role::Admin,
        role: member.role.name(),
        created_at: member.joined_at.to_iso(),
        user: user::brief(&member.user, scene),
    }
}

/// The wire's word for who may come in.
#[must_use]
pub const fn kind(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Public => "public",
        Visibility::Open => "open",
    }
}

/// Who may come in, by the wire's word.
#[must_use]
pub fn kind_of(word: &str) -> Option<Visibility> {
    [Visibility::Private, Visibility::Public, Visibility::Open].into_iter().find(|one| kind(*one) == word)
}

/// A ban.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ban<'a> {
    user_id: &'a UserId,
    reason: Option<&'a str>,
    expires: Option<String>,
    user: Brief,
}

/// A banned user.
#[must_use]
pub fn ban<'a>(member: &'a Member, scene: &Scene) -> Ban<'a> {
    Ban {
        user_id: &member.user,
        reason: member.motive.as_deref(),
        expires: member.absences.last().and_then(|absence| absence.until).map(domain::Timestamp::to_iso),
        user: user::brief(&member.user, scene),
    }
}
