//! How the three searches are answered: exactly, and only with what the caller may see.
//!
//! Whatever names its objects (an id, a login, a conversation, a member) is answered by their keys. The rest is
//! answered from the lists that there are, which cost what they are long: a search engine, fed by the table's
//! stream, would take the place of this file (`docs/decisions`).

use std::collections::BTreeSet;

use dialects::nkchat::{
    conversation,
    error::Refusal,
    message,
    search::{Search, found},
    user,
};
use domain::{Conversation, ConversationId, Entry, Error, Event, Member, MessageId, Seq, User, UserId};
use serde_json::{Value, json};
use store::log::Span;

use super::{conversation::look, message::visible};
use crate::{auth::Caller, context::Context, operations::access::View};

/// Entries of one Query.
const STRIDE: usize = 1_000;

/// Finds users. Everybody signed in may know of everybody.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn users(cx: &Context, search: &Search) -> Result<Value, Refusal> {
    let found_users = if let Some(id) = search.wanted("_id").or(search.wanted("user_id")) {
        user_by(cx, UserId::parse(id).ok()).await?
    } else if let Some(login) = search.wanted("login") {
        user_by(cx, cx.store.user_named(login).await?).await?
    } else {
        let all = cx.store.all_users().await?;
        if !search.looks_inside() {
            let total = all.len();
            let page = cx.store.users(search.page(all)).await?;
            return Ok(search.result(total, page.iter().map(user_object).collect()));
        }
        cx.store.users(all).await?
    };
    let mut hits = search.collect();
    found_users.iter().map(user_object).for_each(|object| hits.take(object));
    let (total, page) = hits.page();
    Ok(search.result(total, page))
}

async fn user_by(cx: &Context, id: Option<UserId>) -> Result<Vec<User>, Error> {
    match id {
        Some(id) => Ok(cx.store.user_now(&id).await?.into_iter().collect()),
        None => Ok(Vec::new()),
    }
}

fn user_object(one: &User) -> domain::Object {
    found(one.id.as_str(), user::fields(one))
}

/// Finds conversations: an ordinary caller's own, or one that is named and may be looked into.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn conversations(cx: &Context, caller: &Caller, search: &Search) -> Result<Value, Refusal> {
    let mut hits = search.collect();
    let member = search.wanted("user_ids").map(UserId::parse);
    if matches!(member, Some(Err(_))) {
        return Ok(search.result(0, Vec::new()));
    }
    let member = member.and_then(Result::ok);
    for one in candidates(cx, caller, search, member.as_ref()).await? {
        let mut object = found(one.id.as_str(), conversation::fields(&one));
        if let Some(user) = &member {
            let standing = cx.store.member(&one.id, user).await?;
            if !standing.is_some_and(|it| it.number == one.number && it.is_active()) {
                continue;
            }
            // As far as the filter wants to know; who else is in it is read for the page only.
            object.insert("user_ids".into(), json!([user]));
        }
        hits.take(object);
    }
    let (total, mut page) = hits.page();
    if search.shows("user_ids") {
        for object in &mut page {
            let id = object.get("_id").and_then(Value::as_str).unwrap_or_default();
            let id = ConversationId::trusted(id);
            let Some(one) = cx.store.conversation(&id, false).await? else { continue };
            let members: Vec<Member> = cx.store.members(&id, one.number).await?;
            object.insert("user_ids".into(), json!(conversation::user_ids(&members)));
        }
    }
    Ok(search.result(total, page))
}

/// The conversations among which a search looks.
async fn candidates(
    cx: &Context,
    caller: &Caller,
    search: &Search,
    member: Option<&UserId>,
) -> Result<Vec<Conversation>, Refusal> {
    if let Some(id) = search.wanted("_id").or(search.wanted("conversation_id")) {
        return Ok(one(cx, caller, id).await?.into_iter().map(|view| view.conversation).collect());
    }
    let whose = if caller.powerful { member } else { caller.user.as_ref() };
    let (ids, lives) = match whose {
        Some(user) => {
            let lines = cx.store.memberships(user).await?;
            let lives: BTreeSet<_> = lines.iter().map(|line| line.number).collect();
            (lines.into_iter().map(|line| line.conversation).collect(), Some(lives))
        }
        None => (cx.store.all_conversations().await?, None),
    };
    let mut all = cx.store.conversations(&ids).await?;
    all.retain(|one| !one.deleted && lives.as_ref().is_none_or(|lives| lives.contains(&one.number)));
    all.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(all)
}

/// A conversation that is named, if the caller may look into it.
async fn one<'a>(cx: &Context, caller: &'a Caller, id: &str) -> Result<Option<View<'a>>, Refusal> {
    let Ok(id) = ConversationId::parse(id) else { return Ok(None) };
    match look(cx, caller, &id).await {
        Ok(view) => Ok(Some(view)),
        Err(Refusal::Domain(Error::NotFound(_))) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Finds messages: one that is named, those of a conversation that is named, or of all that the caller's other
/// search would find. In the order in which they were written.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn messages(cx: &Context, caller: &Caller, search: &Search) -> Result<Value, Refusal> {
    let mut hits = search.collect();
    if let Some(id) = search.wanted("_id").or(search.wanted("message_id")) {
        let id = MessageId::parse(id).ok();
        if let Some(id) = id {
            match visible(cx, caller, &id).await {
                Ok((place, one)) => hits.take(found(one.id.as_str(), message::fields(&one, &place))),
                Err(Refusal::Domain(Error::NotFound(_))) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        let (total, page) = hits.page();
        return Ok(search.result(total, page));
    }
    let ids = match search.wanted("conversation_id") {
        Some(id) => vec![id.to_owned()],
        None => {
            let all = candidates(cx, caller, search, None).await?;
            all.into_iter().map(|one| one.id.as_str().to_owned()).collect()
        }
    };
    for id in ids {
        let Some(view) = one(cx, caller, &id).await? else { continue };
        let mut span = Span::After(Seq(0));
        loop {
            let page = cx.store.entries(view.conversation.number, span, STRIDE, false).await?;
            for entry in &page.entries {
                if let Event::MessageCreated(it) = &entry.event
                    && !it.state.recalled
                    && it.is_listed()
                    && view.sees(entry)
                {
                    hits.take(found(it.id.as_str(), message::fields(it, &view.conversation.id)));
                }
            }
            match page.entries.last().map(Entry::seq) {
                Some(last) if page.more => span = Span::After(last),
                _ => break,
            }
        }
    }
    let (total, page) = hits.page();
    Ok(search.result(total, page))
}
