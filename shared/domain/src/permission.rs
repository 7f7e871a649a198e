//! Who may do what: the ranks of a conversation.
//!
//! Owner > admin > moderator > member; nobody acts on an equal or higher role. An admin's token and the
//! application's server may do everything.

use crate::{Conversation, Error, Member, Role, Timestamp, UserId, Visibility};

/// Somebody who acts, with the relation to the conversation acted in.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The user; none for the application's server on its own account.
    pub user: Option<&'a UserId>,
    /// The relation to the conversation, if there ever was one.
    pub member: Option<&'a Member>,
    /// An admin's token or the server's secret.
    pub powerful: bool,
}

impl Actor<'_> {
    fn role(&self) -> Option<Role> {
        self.member.filter(|member| member.is_active()).map(|member| member.role)
    }

    /// Refuses all who are not at least a `role`.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn needs(&self, role: Role) -> Result<(), Error> {
        if self.powerful || self.role().is_some_and(|own| own >= role) {
            return Ok(());
        }
        Err(Error::Forbidden(match role {
            Role::Member => "Only members of the conversation may do this.",
            Role::Moderator => "Only moderators of the conversation may do this.",
            Role::Admin => "Only admins of the conversation may do this.",
            Role::Owner => "Only the owner of the conversation may do this.",
        }))
    }

    /// Refuses all who are not at least a `role`, and higher than the role of the one acted on.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn needs_over(&self, role: Role, target: Option<&Member>) -> Result<(), Error> {
        self.needs(role)?;
        let theirs = target.filter(|member| member.is_active()).map(|member| member.role);
        if self.powerful || theirs < self.role() {
            return Ok(());
        }
        Err(Error::Forbidden("Nobody may act on a member of an equal or higher role."))
    }

    /// Refuses who may not write: not a member, and the conversation is not open; or banned.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_write(&self, conversation: &Conversation, now: Timestamp) -> Result<(), Error> {
        if self.powerful || self.role().is_some() {
            return Ok(());
        }
        if self.member.is_some_and(|member| member.is_banned(now)) {
            return Err(Error::Forbidden("You are banned from this conversation."));
        }
        if conversation.visibility() == Visibility::Open {
            return Ok(());
        }
        self.needs(Role::Member)
    }

    /// Refuses who may not join by themselves.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_join(&self, conversation: &Conversation, now: Timestamp) -> Result<(), Error> {
        if self.powerful {
            return Ok(());
        }
        if self.member.is_some_and(|member| member.is_banned(now)) {
            return Err(Error::Forbidden("You are banned from this conversation."));
        }
        if conversation.is_direct() || conversation.visibility() == Visibility::Private {
            return Err(Error::Forbidden("Members of a private conversation are added by its admins."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Number, Seq, conversation::tests::conversation};

    fn member(role: Role) -> Member {
        let mut member = Member::stranger(UserId::trusted("u"), Number(1));
        member.join(role, Seq(1), Timestamp::from_millis(0));
        member
    }

    #[test]
    fn nobody_acts_on_an_equal_or_higher_role() {
        let roles = [Role::Member, Role::Moderator, Role::Admin, Role::Owner];
        for own in roles {
            for theirs in roles {
                let (own_member, their_member) = (member(own), member(theirs));
                let actor = Actor { user: None, member: Some(&own_member), powerful: false };
                let allowed = actor.needs_over(Role::Moderator, Some(&their_member)).is_ok();
                assert_eq!(allowed, own >= Role::Moderator && own > theirs, "{own:?} on {theirs:?}");
                let powerful = Actor { powerful: true, ..actor };
                assert!(powerful.needs_over(Role::Owner, Some(&their_member)).is_ok());
            }
        }
    }

    #[test]
    fn a_ban_ends_writing_and_joining_even_where_it_is_open() {
        let mut banned = Member::stranger(UserId::trusted("u"), Number(1));
        let now = Timestamp::from_millis(5);
        let open = conversation(Visibility::Open);
        let actor = |member| Actor { user: None, member, powerful: false };
        assert!(actor(None).may_write(&open, now).is_ok());
        assert!(actor(None).may_join(&open, now).is_ok());
        assert!(actor(None).may_write(&conversation(Visibility::Public), now).is_err());
        assert!(actor(None).may_join(&conversation(Visibility::Private), now).is_err());
        banned.ban(Seq(2), String::new(), None);
        assert!(actor(Some(&banned)).may_write(&open, now).is_err());
        assert!(actor(Some(&banned)).may_join(&open, now).is_err());
    }
}
