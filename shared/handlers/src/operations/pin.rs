//! Pinning a conversation among one's own: nobody else's business, but told to all of one's own devices.

use domain::{ConversationId, Dialect, Error, Event, Member};
use store::member;

use super::commit::{self, Operation, Plan, Seen};
use crate::{auth::Caller, context::Context};

/// Pins the conversation for the caller, or does no longer. As it is already, it stays.
///
/// # Errors
/// [`Error::Forbidden`] unless by a member.
pub async fn pin(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    id: &ConversationId,
    on: bool,
) -> Result<(), Error> {
    caller.user()?;
    commit::commit(cx, caller, dialect, id, &Pin { on }).await
}

struct Pin {
    on: bool,
}

impl Operation for Pin {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        let Some(own) = seen.member.as_ref().filter(|member| member.is_active()) else {
            return Err(Error::Forbidden("Only members of the conversation may do this."));
        };
        if own.pinned == self.on {
            return Ok(Plan::Nothing(()));
        }
        let event = Event::ConversationPinned { user: own.user.clone(), on: self.on };
        let member = Member { pinned: self.on, ..own.clone() };
        Ok(Plan::Append(vec![seen.entry(0, event)?], vec![member::put(&seen.conversation.id, &member)?], ()))
    }
}
