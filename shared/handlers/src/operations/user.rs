//! Making and removing users, so that everybody who wants to know is told.

use domain::{Dialect, Error, Topic, User, UserId, entry::Departure, entry::Notice};
use store::user;

use super::{membership, notice};
use crate::{auth::Caller, context::Context};

/// Makes a user, and tells everybody, in one transaction. Says whether it was made: not if the id or the login
/// is taken.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn create(
    cx: &Context,
    caller: &Caller,
    dialect: Dialect,
    user: &User,
    password_hash: Option<&str>,
) -> Result<bool, Error> {
    let writes = user::create(user, password_hash)?;
    let told = Notice::UserCreated { user: user.id.clone() };
    notice::tell_with(cx, &Topic::Global, &told, (caller.user.as_ref(), dialect), writes).await
}

/// Removes a user from all conversations and then altogether, and tells everybody. What the user wrote stays. A
/// one-to-one conversation stays with the other.
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
    let told = Notice::UserDeleted { user: id.clone() };
    let by = (caller.user.as_ref(), dialect);
    let removed = notice::tell_with(cx, &Topic::Global, &told, by, user::delete(&user)).await?;
    cx.store.forget_user(id);
    if removed { Ok(()) } else { Err(NO_USER) }
}
