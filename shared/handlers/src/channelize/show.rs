//! Gathers what a rendering needs to know: the users it names, the messages that others reply to.

use std::collections::{BTreeMap, BTreeSet};

use dialects::channelize::{
    Scene,
    conversation::{self, Facts},
    message::{self, Wire},
};
use domain::{Conversation, Error, Event, Member, Message, Place, Seq, UserId, Visibility, visibility};
use store::member::Membership;

use crate::{
    auth::Caller,
    context::Context,
    operations::{
        access::View,
        history::{self, Shown},
        reading,
    },
};

/// What is needed to show these to the reader.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn scene(cx: &Context, view: &View<'_>, shown: &[Shown]) -> Result<Scene, Error> {
    let parents: BTreeSet<Place> = shown
        .iter()
        .filter_map(|shown| match shown {
            Shown::Message(message) => {
                message.content.parent.as_ref().map(|parent| Place { seq: parent.seq, ..message.place })
            }
            Shown::System(_) => None,
        })
        .collect();
    let parents = if parents.is_empty() {
        BTreeMap::new()
    } else {
        let places: Vec<Place> = parents.into_iter().collect();
        let entries = cx.store.entries_at(&places, false).await?;
        entries.into_iter().filter(|entry| view.sees(entry)).filter_map(as_message).collect()
    };
    let mut users: BTreeSet<UserId> = parents.values().flat_map(message::users).cloned().collect();
    for shown in shown {
        match shown {
            Shown::Message(it) => users.extend(message::users(it).cloned()),
            Shown::System(entry) => users.extend(message::system_users(entry).into_iter().cloned()),
        }
    }
    Ok(Scene { users: users_by_id(cx, users).await?, parents })
}

fn as_message(entry: domain::Entry) -> Option<(Seq, Message)> {
    match entry.event {
        Event::MessageCreated(message) => Some((entry.place.seq, *message)),
        _ => None,
    }
}

/// These users, by id.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn users_by_id(
    cx: &Context,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<BTreeMap<UserId, domain::User>, Error> {
    Ok(cx.store.users(ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect())
}

/// Something shown as a message, on the wire.
#[must_use]
pub fn wire<'a>(shown: &'a Shown, conversation: &'a Conversation, scene: &'a Scene) -> Option<Wire<'a>> {
    match shown {
        Shown::Message(it) => Some(message::message(it, &conversation.id, scene)),
        Shown::System(entry) => message::system(entry, conversation, scene),
    }
}

/// What a reader's view of a conversation needs, beside the conversation.
#[derive(Debug)]
pub struct Portrait {
    conversation: Conversation,
    reader: Option<UserId>,
    member: Option<Member>,
    muted: bool,
    unread: u64,
    watchers: u64,
    read: BTreeMap<UserId, String>,
    last: Option<Shown>,
    members: Option<Vec<Member>>,
    scene: Scene,
}

/// Looks at a conversation as the view's reader.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn portrait(
    cx: &Context,
    mut view: View<'_>,
    membership: Option<Membership>,
    with_members: bool,
) -> Result<Portrait, Error> {
    let conversation = view.conversation.clone();
    // Lists show public conversations to those who may join: what is in them, and who, is for members.
    let readable = visibility::may_read(&conversation, view.reader(), cx.clock.now());
    let last = if readable { history::newest(cx, &mut view, true).await? } else { None };
    let watchers = match conversation.visibility() {
        Visibility::Private => 0,
        _ => {
            u64::try_from(cx.store.watchers(&conversation.id, conversation.number).await?.len()).unwrap_or(0)
        }
    };
    let unread = match (&view.caller.user, &membership) {
        (Some(user), Some(membership)) if membership.number == conversation.number => {
            reading::unread(&cx.store, user, membership, visibility::nothing_up_to(view.reader())).await?
        }
        _ => 0,
    };
    let members = if readable { active_members(cx, &conversation).await? } else { Vec::new() };
    let marks: BTreeMap<_, _> = cx.store.read_marks(conversation.number).await?.into_iter().collect();
    let read = members.iter().map(|member| {
        let at = marks.get(&member.user).map_or(member.joined_at, |mark| mark.at.max(member.joined_at));
        (member.user.clone(), at.to_iso())
    });
    let read = read.collect();
    let mut scene = scene(cx, &view, last.as_slice()).await?;
    let peer = view.caller.user.as_ref().and_then(|user| conversation.peer_of(user));
    let mut named: BTreeSet<UserId> = peer.into_iter().cloned().collect();
    if with_members {
        named.extend(members.iter().map(|member| member.user.clone()));
    }
    scene.users.extend(users_by_id(cx, named).await?);
    Ok(Portrait {
        reader: view.caller.user.clone(),
        member: view.member,
        muted: membership.as_ref().is_some_and(|membership| membership.muted),
        conversation,
        unread,
        watchers,
        read,
        last,
        members: with_members.then_some(members),
        scene,
    })
}

/// The members of a conversation, by user id: none of those who left or are banned.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn active_members(cx: &Context, conversation: &Conversation) -> Result<Vec<Member>, Error> {
    let mut members = cx.store.members(&conversation.id, conversation.number).await?;
    members.retain(Member::is_active);
    Ok(members)
}

impl Portrait {
    /// The conversation on the wire.
    #[must_use]
    pub fn wire(&self) -> conversation::Wire<'_> {
        let facts = Facts {
            reader: self.reader.as_ref(),
            member: self.member.as_ref(),
            muted: self.muted,
            unread: self.unread,
            watchers: self.watchers,
            read: self.read.iter().map(|(user, at)| (user, at.clone())).collect(),
            last: self.last.as_ref().and_then(|shown| wire(shown, &self.conversation, &self.scene)),
            members: self.members.as_deref(),
        };
        conversation::conversation(&self.conversation, facts, &self.scene)
    }
}

/// Looks at a conversation as the caller; from outside, where one may join and has not.
///
/// # Errors
/// As [`crate::operations::access::glance`].
pub async fn portrait_for(
    cx: &Context,
    caller: &Caller,
    id: &domain::ConversationId,
    with_members: bool,
) -> Result<Portrait, Error> {
    let view = crate::operations::access::glance(cx, caller, id).await?;
    let membership = match &caller.user {
        Some(user) => cx.store.membership(user, id).await?,
        None => None,
    };
    portrait(cx, view, membership, with_members).await
}
