//! Finding conversations: what list and count share.

use std::collections::BTreeMap;

use dialects::channelize::conversation::kind_of;
use domain::{Conversation, ConversationId, Error, Member, Seq, Timestamp, UserId, Visibility, visibility};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{directory::PARALLEL, member::Membership};

use super::{
    request::Request,
    show::{self, Portrait},
};
use crate::{auth::Caller, context::Context, operations::access::View};

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

/// A conversation that was found.
#[derive(Debug)]
pub struct Found {
    conversation: Conversation,
    membership: Option<Membership>,
}

/// The conversations that the query asks for: the caller's own; with `publicMode=true` all that are public or
/// open; for the application's server without a user all there are.
///
/// # Errors
/// [`Error::Invalid`], naming the query value.
pub async fn find(cx: &Context, request: &Request) -> Result<Vec<Found>, Error> {
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
    let found: Vec<Option<Found>> = stream::iter(conversations)
        .map(|conversation| {
            let membership = memberships.get(&conversation.id).cloned();
            pass(cx, &request.caller, &wanted, Found { conversation, membership })
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// The conversation, if what must be read for it lets it through too.
async fn pass(
    cx: &Context,
    caller: &Caller,
    wanted: &Wanted<'_>,
    found: Found,
) -> Result<Option<Found>, Error> {
    if let Some(Seq(hidden)) = found.membership.as_ref().and_then(|membership| membership.hidden) {
        let tail = cx.store.tail(found.conversation.number).await?;
        if tail.is_none_or(|tail| tail.place.seq.0 <= hidden) {
            return Ok(None);
        }
    }
    let looks_right = wanted.asks_for_no_members() || {
        // Whoever may not list the members does not find them out by looking for them either.
        let view = view(cx, caller, found.conversation.clone()).await?;
        visibility::may_read(&view.conversation, view.reader(), cx.clock.now())
            && wanted.has_members(cx, &view.conversation).await?
    };
    Ok(looks_right.then_some(found))
}

/// Puts them in the order in which something last happened in them, and looks at the page that is asked for:
/// one Query each for the order, and all that is shown only for the page. What is gone by then is left out.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn page(
    cx: &Context,
    request: &Request,
    found: Vec<Found>,
    with_members: bool,
) -> Result<Vec<Portrait>, Error> {
    let (limit, skip) = request.window(25)?;
    let ascending = request.ascending()?;
    let mut dated: Vec<(Timestamp, Found)> = stream::iter(found)
        .map(|found| async move {
            let tail = cx.store.tail(found.conversation.number).await?;
            Ok::<_, Error>((tail.map_or(found.conversation.created_at, |tail| tail.at), found))
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    dated.sort_by(|(one, _), (other, _)| if ascending { one.cmp(other) } else { other.cmp(one) });
    let page: Vec<Found> = dated.into_iter().skip(skip).take(limit).map(|(_, found)| found).collect();
    stream::iter(page)
        .map(|found| look(cx, request, found, with_members))
        .buffered(PARALLEL)
        .try_filter_map(|portrait| std::future::ready(Ok(portrait)))
        .try_collect()
        .await
}

/// The conversation as the caller sees it; none if it, or the caller's place in it, is gone by now.
async fn look(
    cx: &Context,
    request: &Request,
    found: Found,
    with_members: bool,
) -> Result<Option<Portrait>, Error> {
    let view = view(cx, &request.caller, found.conversation).await?;
    let readable = visibility::may_read(&view.conversation, view.reader(), cx.clock.now());
    if !readable && view.conversation.visibility() == Visibility::Private {
        return Ok(None);
    }
    match show::portrait(cx, view, found.membership, with_members).await {
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(None),
        other => other.map(Some),
    }
}

/// The conversation, with where the caller stands in it.
async fn view<'a>(cx: &Context, caller: &'a Caller, conversation: Conversation) -> Result<View<'a>, Error> {
    let member: Option<Member> = match &caller.user {
        Some(user) => cx.store.member(&conversation.id, user).await?,
        None => None,
    };
    let member = member.filter(|member| member.number == conversation.number);
    Ok(View { conversation, member, caller, seen_before: false })
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

    const fn asks_for_no_members(&self) -> bool {
        self.members_exactly.is_none() && self.members_included.is_none()
    }

    async fn has_members(&self, cx: &Context, one: &Conversation) -> Result<bool, Error> {
        let members = show::active_members(cx, one).await?;
        let is_member = |id: &&str| members.iter().any(|member| member.user == UserId::trusted(*id));
        let included = |ids: &Vec<&str>| ids.iter().all(is_member);
        Ok(self.members_included.as_ref().is_none_or(included)
            && self.members_exactly.as_ref().is_none_or(|ids| ids.len() == members.len() && included(ids)))
    }
}
