//! Removing users. Their connections end when their removal is told: `delivery/farewell.rs`.

use domain::{Dialect, Error, UserId, entry::Departure};

use super::membership;
use crate::{auth::Caller, context::Context};

/// Removes a user from all conversations and then altogether. What the user wrote stays. A one-to-one conversation
/// stays with the other.
///
/// # Errors
/// [`Error::NotFound`] if there is no such user.
pub async fn delete(cx: &Context, caller: &Caller, dialect: Dialect, id: &UserId) -> Result<(), Error> {
    const NO_USER: Error = Error::NotFound("User");
    let user = cx.store.user_now(id).await?.ok_or(NO_USER)?;
    let powerful = Caller { powerful: true, ..caller.clone() };
    for line in cx.store.memberships(id).await? {
        let gone = std::slice::from_ref(id);
        let how = Departure::Removed;
        match membership::remove(cx, &powerful, dialect, &line.conversation, gone, how).await {
            // Gone already, or one that nobody leaves.
            Ok(()) | Err(Error::NotFound(_) | Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if cx.store.delete_user(&user, cx.clock.now()).await? { Ok(()) } else { Err(NO_USER) }
}
