//! What a block stops: between two users of whom one blocks the other nothing new is said, shown or announced in
//! their one-to-one conversation. What was said can still be taken back.

use domain::{Conversation, Error, UserId};
use store::{Store, user::Relation};

/// Refuses what the user says in a conversation with one other, if one of the two blocks the other.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) async fn not_blocked(
    store: &Store,
    conversation: &Conversation,
    user: &UserId,
) -> Result<(), Error> {
    match conversation.peer_of(user) {
        Some(peer) => not_between(store, user, peer).await,
        None => Ok(()),
    }
}

/// Refuses what one of these says to the other, if one of the two blocks the other.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) async fn not_between(store: &Store, one: &UserId, other: &UserId) -> Result<(), Error> {
    let (by_other, by_one) = futures_util::future::try_join(
        store.has_relation(other, Relation::Block, one),
        store.has_relation(one, Relation::Block, other),
    )
    .await?;
    if by_other || by_one {
        return Err(Error::Forbidden("One of the two users blocks the other."));
    }
    Ok(())
}
