//! Logins of users, and removing users. Their connections end when their removal is told: `delivery/farewell.rs`.

use domain::{Dialect, Error, User, UserId, entry::Departure};

use super::membership;
use crate::{auth::Caller, context::Context};

/// What is to be a user's login is another's.
pub const OTHER_S_LOGIN: Error = Error::Exists("A user with this login");

/// Refuses a new user whose id is another's login, or whose address is another's login or id.
///
/// # Errors
/// [`Error::Exists`].
pub async fn check_logins(cx: &Context, user: &User) -> Result<(), Error> {
    if cx.store.has_login_of_another(user.id.as_str(), &user.id).await? {
        return Err(OTHER_S_LOGIN);
    }
    check_address(cx, user).await
}

/// Refuses an address that is another's login or id. Of two at once that want one login, the claim in the table
/// refuses the later; that says nothing of ids of users who have no password.
///
/// # Errors
/// [`Error::Exists`].
pub async fn check_address(cx: &Context, user: &User) -> Result<(), Error> {
    let Some(address) = &user.email else { return Ok(()) };
    if cx.store.is_another_s_login(address, &user.id, true).await? { Err(OTHER_S_LOGIN) } else { Ok(()) }
}

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
