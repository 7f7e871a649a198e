//! Making conversations.

use std::collections::BTreeSet;

use domain::{
    Conversation, ConversationId, Dialect, Entry, Error, Event, Member, Number, Object, Place, Role, Seq,
    UserId, Visibility, conversation::Openness, entry::Arrival, limits,
};
use store::{Appended, Store, Write, conversation, member, retry};

use super::membership;
use crate::{auth::Caller, context::Context};

/// Members that are written in the transaction of the first entry. Each takes two items; the settings, the
/// number's name, the list of all, the name of a one-to-one conversation and the entry take the rest of 100.
const FOUNDERS: usize = 45;

/// A conversation to be made.
#[derive(Debug, Clone)]
pub struct NewConversation {
    /// The id, where the client chose one.
    pub id: Option<ConversationId>,
    /// The title.
    pub title: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Who may come in.
    pub visibility: Visibility,
    /// Its first members, beside the caller.
    pub members: Vec<UserId>,
    /// The application's own type.
    pub custom_type: Option<String>,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// Switches of the application's own.
    pub config: Object,
    /// The application's own fields.
    pub meta: Object,
    /// The time it claims to be from, where the client said one.
    pub claimed_at: Option<domain::Timestamp>,
}

impl NewConversation {
    /// One of which nothing else is said.
    #[must_use]
    pub fn of(visibility: Visibility) -> Self {
        Self {
            id: None,
            title: None,
            description: None,
            visibility,
            members: Vec::new(),
            custom_type: None,
            image_url: None,
            config: Object::new(),
            meta: Object::new(),
            claimed_at: None,
        }
    }
}

/// Makes a conversation, with the caller as its owner.
///
/// # Errors
/// [`Error::Exists`] if there is one of that id; [`Error::NotFound`] if a member is unknown (the application's
/// server makes unknown members known).
pub async fn create(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    new: NewConversation,
) -> Result<Conversation, Error> {
    let mut members: Vec<(UserId, Role)> =
        caller.user.iter().map(|user| (user.clone(), Role::Owner)).collect();
    for user in known_users(cx, caller, dialect, &new.members).await? {
        if Some(&user) != caller.user.as_ref() {
            members.push((user, Role::Member));
        }
    }
    found(cx, caller, dialect, new, members, None).await
}

/// The one-to-one conversation of the caller and another user, if they have one.
///
/// # Errors
/// [`Error::Invalid`] if the other is the caller.
pub async fn standing(
    cx: &Context,
    caller: &Caller,
    other: &UserId,
) -> Result<Option<ConversationId>, Error> {
    Ok(named(cx, caller, other).await?.1.map(|standing| standing.id))
}

/// Which conversation the two have had last, and that conversation if it is there still.
async fn named(
    cx: &Context,
    caller: &Caller,
    other: &UserId,
) -> Result<(Option<ConversationId>, Option<Conversation>), Error> {
    let own = caller.user()?;
    if own == other {
        return Err(Error::invalid("userId", "nobody has a conversation with oneself"));
    }
    let Some(id) = cx.store.direct(own, other).await? else { return Ok((None, None)) };
    let standing = cx.store.conversation(&id, true).await?;
    Ok((Some(id), standing.filter(|standing| !standing.deleted)))
}

/// The one-to-one conversation of the caller and another user, made now if they had none.
///
/// # Errors
/// [`Error::NotFound`] if the other is unknown; [`Error::Invalid`] if it is the caller.
pub async fn direct(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    other: &UserId,
    new: NewConversation,
) -> Result<Conversation, Error> {
    let own = caller.user()?;
    let (known, standing) = named(cx, caller, other).await?;
    if let Some(standing) = standing {
        return Ok(standing);
    }
    known_users(cx, caller, dialect, std::slice::from_ref(other)).await?;
    let members = vec![(own.clone(), Role::Admin), (other.clone(), Role::Admin)];
    match found(cx, caller, dialect, new, members, Some((own, other, known.as_ref()))).await {
        // Both wrote first: one of them was faster.
        Err(Error::Conflict(_)) => match cx.store.direct(own, other).await? {
            Some(id) => cx.store.conversation(&id, true).await?.ok_or(Error::Busy),
            None => Err(Error::Busy),
        },
        other => other,
    }
}

async fn found(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    new: NewConversation,
    members: Vec<(UserId, Role)>,
    direct: Option<(&UserId, &UserId, Option<&ConversationId>)>,
) -> Result<Conversation, Error> {
    let at = cx.clock.now();
    let number = cx.store.draw_conversation_number().await?;
    let place = Place { number, seq: Seq(1) };
    let id = new.id.unwrap_or_else(|| ConversationId::trusted(uuid::Uuid::new_v4().to_string()));
    let (founders, followers) = members.split_at(members.len().min(FOUNDERS));
    let conversation = Conversation {
        id: id.clone(),
        number,
        epoch: Store::epoch()?,
        title: new.title,
        description: new.description,
        openness: Openness::new(new.visibility),
        peers: direct.map(|(one, other, _)| (one.clone(), other.clone())),
        owner: caller.user.clone(),
        custom_type: new.custom_type,
        image_url: new.image_url,
        config: new.config,
        meta: new.meta,
        created_at: new.claimed_at.unwrap_or(at),
        updated_at: at,
        members: u64::try_from(founders.len()).unwrap_or(0),
        changed: place.seq,
        deleted: false,
    };
    check_size(&conversation)?;
    let entry = Entry {
        place,
        at,
        actor: caller.user.clone(),
        dialect,
        nonce: Store::nonce()?,
        settings: place.seq,
        event: Event::ConversationCreated {
            title: conversation.title.clone(),
            direct: direct.is_some(),
            members: founders.iter().map(|(user, _)| user.clone()).collect(),
        },
    };
    let mut writes = conversation::create(&conversation)?;
    writes.extend(founding(&id, number, founders, &entry)?);
    if let Some((one, other, instead_of)) = direct {
        writes.push(conversation::name_direct(one, other, &id, instead_of));
    }
    // Again where the table was busy: the number is this call's own, so what stands there is this very entry.
    let mut attempt = 0;
    let appended = loop {
        match cx.store.append(std::slice::from_ref(&entry), writes.clone()).await {
            Err(Error::Busy) if attempt < retry::ATTEMPTS => retry::pause(attempt).await,
            other => break other?,
        }
        attempt += 1;
    };
    match appended {
        Appended::Done => {}
        Appended::Refused(0, _) => return Err(Error::Exists("A conversation with this id")),
        Appended::Refused(..) => return Err(Error::Conflict("The two users have a conversation already.")),
        Appended::Overtaken => return Err(Error::Internal(format!("the log {number} is not new"))),
    }
    cx.store.forget_conversation(&id);
    if followers.is_empty() {
        return Ok(conversation);
    }
    let users: Vec<UserId> = followers.iter().map(|(user, _)| user.clone()).collect();
    let founder = Caller { powerful: true, ..caller.clone() };
    membership::add(cx, &founder, dialect, &id, &users, Arrival::Founded).await?;
    cx.store.conversation(&id, true).await?.ok_or_else(|| Error::Internal(format!("{id} is gone")))
}

fn founding(
    id: &ConversationId,
    number: Number,
    founders: &[(UserId, Role)],
    entry: &Entry,
) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::with_capacity(2 * founders.len());
    for (user, role) in founders {
        let mut founder = Member::stranger(user.clone(), number);
        founder.join(*role, entry.seq(), entry.at);
        writes.push(member::put(id, &founder)?);
        writes.push(member::enlist(id, &founder));
    }
    Ok(writes)
}

/// These users, each once, if they all exist. Users that the application's server names come into being; in nkchat
/// without being announced: there only `user/create` tells of a user.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] if there are too many.
pub async fn known_users(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    ids: &[UserId],
) -> Result<BTreeSet<UserId>, Error> {
    let ids: BTreeSet<UserId> = ids.iter().cloned().collect();
    if ids.len() > limits::USERS_PER_CALL {
        return Err(Error::invalid("members", format!("more than {} users", limits::USERS_PER_CALL)));
    }
    let known: BTreeSet<UserId> =
        cx.store.users(ids.clone()).await?.into_iter().map(|user| user.id).collect();
    for unknown in ids.difference(&known) {
        if caller.server && dialect == Dialect::Nkchat {
            cx.store.ensure_user_untold(unknown, cx.clock.now()).await?;
        } else if caller.server {
            cx.store.ensure_user(unknown, cx.clock.now()).await?;
        } else if cx.store.user_now(unknown).await?.is_none() {
            return Err(Error::NotFound("User"));
        }
    }
    Ok(ids)
}

/// Refuses settings that are larger than lists of them can bear.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_size(conversation: &Conversation) -> Result<(), Error> {
    let json = serde_json::to_vec(conversation).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    if json.len() > limits::PROFILE_BYTES {
        return Err(Error::TooLarge { what: "The conversation", limit: limits::PROFILE_BYTES });
    }
    Ok(())
}
