//! Finding conversations: what list and count share.

use std::collections::BTreeMap;

use dialects::channelize::conversation::kind_of;
use domain::{Conversation, ConversationId, Error, Member, Seq, UserId, Visibility};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{directory::PARALLEL, member::Membership};

use super::{
    request::Request,
    show::{self, Portrait},
};
use crate::{context::Context, operations::access::View};

/// What is looked for.
struct Wanted<'a> {
    ids: Option<Vec<&'a str>>,
    visibility: Option<Visibility>,
    custom_types: Option<Vec<&'a str>>,
    search: Option<String>,
    is_group: Option<bool>,
    members_exactly: Option<Vec<&'a str>>,
    members_included: Option<Vec<&'a str>>,
}

/// The conversations that the query asks for: the caller's own; with `publicMode=true` all that are public or
/// open; for the application's server without a user all there are.
///
/// # Errors
/// [`Error::Invalid`], naming the query value.
pub async fn find(cx: &Context, request: &Request, with_members: bool) -> Result<Vec<Portrait>, Error> {
    let wanted = Wanted::of(request)?;
    let public = request.boolean("publicMode")? == Some(true);
    let memberships: BTreeMap<ConversationId, Membership> = match &request.caller.user {
        Some(user) => {
            let all = cx.store.memberships(user).await?;
            all.into_iter().map(|one| (one.conversation.clone(), one)).collect()
        }
        None => BTreeMap::new(),
    };
    let own = request.caller.user.is_some() && !public;
    let ids: Vec<ConversationId> =
        if own { memberships.keys().cloned().collect() } else { cx.store.all_conversations().await? };
    let mut conversations = cx.store.conversations(&ids).await?;
    conversations.retain(|one| {
        !one.deleted
            && (!public || one.visibility() != Visibility::Private)
            && wanted.passes(one)
            && memberships.get(&one.id).is_none_or(|membership| membership.number == one.number || !own)
    });
    let portraits: Vec<Option<Portrait>> = stream::iter(conversations)
        .map(|conversation| {
            let membership = memberships.get(&conversation.id).cloned();
            look(cx, request, conversation, membership, &wanted, with_members)
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(portraits.into_iter().flatten().collect())
}

/// Looks at one of them; none if it is not wanted after all.
async fn look(
    cx: &Context,
    request: &Request,
    conversation: Conversation,
    membership: Option<Membership>,
    wanted: &Wanted<'_>,
    with_members: bool,
) -> Result<Option<Portrait>, Error> {
    if let Some(Seq(hidden)) = membership.as_ref().and_then(|membership| membership.hidden) {
        let tail = cx.store.tail(conversation.number).await?;
        if tail.is_none_or(|tail| tail.place.seq.0 <= hidden) {
            return Ok(None);
        }
    }
    if !wanted.has_members(cx, &conversation).await? {
        return Ok(None);
    }
    let member: Option<Member> = match &request.caller.user {
        Some(user) => cx.store.member(&conversation.id, user).await?,
        None => None,
    };
    let member = member.filter(|member| member.number == conversation.number);
    let view = View { conversation, member, caller: &request.caller, seen_before: false };
    show::portrait(cx, view, membership, with_members).await.map(Some)
}

impl<'a> Wanted<'a> {
    fn of(request: &'a Request) -> Result<Self, Error> {
        let kind =
            |word| kind_of(word).ok_or_else(|| Error::invalid("type", "must be private, public or open"));
        Ok(Self {
            ids: request.list("ids"),
            visibility: request.query("type").map(kind).transpose()?,
            custom_types: request.list("customTypes"),
            search: request.query("search").map(str::to_lowercase),
            is_group: request.boolean("isGroup")?,
            members_exactly: request.list("membersExactly"),
            members_included: request.list("membersIncluded"),
        })
    }

    fn passes(&self, one: &Conversation) -> bool {
        let title = one.title.as_deref().unwrap_or_default().to_lowercase();
        self.ids.as_ref().is_none_or(|ids| ids.contains(&one.id.as_str()))
            && self.visibility.is_none_or(|visibility| one.visibility() == visibility)
            && self
                .custom_types
                .as_ref()
                .is_none_or(|types| one.custom_type.as_deref().is_some_and(|own| types.contains(&own)))
            && self.search.as_ref().is_none_or(|search| title.contains(search))
            && self.is_group.is_none_or(|group| group != one.is_direct())
    }

    async fn has_members(&self, cx: &Context, one: &Conversation) -> Result<bool, Error> {
        if self.members_exactly.is_none() && self.members_included.is_none() {
            return Ok(true);
        }
        let members = show::active_members(cx, one).await?;
        let is_member = |id: &&str| members.iter().any(|member| member.user == UserId::trusted(*id));
        let included = |ids: &Vec<&str>| ids.iter().all(is_member);
        Ok(self.members_included.as_ref().is_none_or(included)
            && self.members_exactly.as_ref().is_none_or(|ids| ids.len() == members.len() && included(ids)))
    }
}
