//! Changing a conversation's settings, and ending it.

use domain::{Conversation, ConversationId, Dialect, Error, Event, Role, entry::Changes};
use store::{conversation, directory};

use super::{
    commit::{self, Operation, Plan, Seen},
    create::check_size,
};
use crate::{auth::Caller, context::Context};

/// Changes settings. What is as it should be already is left out; if nothing is left, nothing is written.
///
/// # Errors
/// [`Error::Forbidden`] unless by an admin of it; [`Error::TooLarge`].
pub async fn update(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    changes: Changes,
) -> Result<Conversation, Error> {
    commit::commit(cx, caller, dialect, id, &Update { changes }).await
}

struct Update {
    changes: Changes,
}

impl Operation for Update {
    type Output = Conversation;

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<Conversation>, Error> {
        seen.actor().needs(Role::Admin)?;
        let changes = real_changes(&seen.conversation, self.changes.clone());
        if changes.visibility.is_some() && seen.conversation.is_direct() {
            // Both are its admins: neither may show to others what the two have said.
            return Err(Error::Forbidden("A one-to-one conversation stays private."));
        }
        if changes.is_empty() {
            return Ok(Plan::Nothing(seen.conversation.clone()));
        }
        let (entry, after) =
            seen.settings_entry(0, Event::ConversationUpdated(changes.clone()), |after, seq| {
                after.updated_at = seen.at;
                let Changes { title, description, image_url, visibility, custom_type, config, meta } =
                    changes;
                after.title = title.or(after.title.take());
                after.description = description.or(after.description.take());
                after.image_url = image_url.or(after.image_url.take());
                after.custom_type = custom_type.or(after.custom_type.take());
                if let Some(visibility) = visibility {
                    after.openness.set(visibility, seq);
                }
                if let Some(config) = config {
                    after.config = config;
                }
                if let Some(meta) = meta {
                    after.meta = meta;
                }
            })?;
        check_size(&after)?;
        Ok(Plan::Append(vec![entry], vec![conversation::put(&after)?], after))
    }
}

/// The changes without those that change nothing.
fn real_changes(now: &Conversation, mut changes: Changes) -> Changes {
    fn drop_if<T>(change: &mut Option<T>, same: impl FnOnce(&T) -> bool) {
        if change.as_ref().is_some_and(same) {
            *change = None;
        }
    }
    drop_if(&mut changes.title, |title| now.title.as_ref() == Some(title));
    drop_if(&mut changes.description, |description| now.description.as_ref() == Some(description));
    drop_if(&mut changes.image_url, |url| now.image_url.as_ref() == Some(url));
    drop_if(&mut changes.custom_type, |custom| now.custom_type.as_ref() == Some(custom));
    drop_if(&mut changes.visibility, |visibility| now.visibility() == *visibility);
    drop_if(&mut changes.config, |config| now.config == *config);
    drop_if(&mut changes.meta, |meta| now.meta == *meta);
    changes
}

/// Ends a conversation: its log gets a last entry, its id is free again. Its members are swept away when that
/// entry has been delivered to them.
///
/// # Errors
/// [`Error::Forbidden`] unless by its owner.
pub async fn delete(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
) -> Result<(), Error> {
    commit::commit(cx, caller, dialect, id, &Delete).await
}

/// Whether the conversation was deleted and the caller is one who could have done it: doing it again succeeds.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn is_deleted(cx: &Context, caller: &Caller, id: &ConversationId) -> Result<bool, Error> {
    let gone = cx.store.conversation(id, true).await?.filter(|one| one.deleted);
    Ok(gone.is_some_and(|one| caller.powerful || one.owner == caller.user))
}

struct Delete;

impl Operation for Delete {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        seen.actor().needs(Role::Owner)?;
        let (entry, after) = seen.settings_entry(0, Event::ConversationDeleted, |after, _| {
            after.updated_at = seen.at;
            after.deleted = true;
        })?;
        let writes = vec![conversation::put(&after)?, directory::unlist_conversation(&after.id)];
        Ok(Plan::Append(vec![entry], writes, ()))
    }
}
