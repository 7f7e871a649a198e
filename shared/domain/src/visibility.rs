//! Who may see what: the one predicate behind live frames, history, counts, resume and search.
//!
//! Two questions are asked of it. [`may_read`]: may this reader look into the conversation now? It is asked
//! once per request. [`may_see`]: may this reader see this entry? It is asked for every entry, and answered by
//! what was true at the entry's number, not by what is true now.

use crate::{
    Conversation, Entry, Event, Member, Seq, Timestamp, UserId, Visibility, conversation::Openness,
    member::Absence,
};

/// Somebody who reads.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The user whose view it is; none for the application's server, which sees everything.
    pub user: Option<&'a UserId>,
    /// The user's relation to the conversation, if there ever was one.
    pub member: Option<&'a Member>,
    /// An admin's token or the server's secret: membership and bans do not matter.
    pub powerful: bool,
}

/// Whether the reader may look into the conversation at `now`.
#[must_use]
pub fn may_read(conversation: &Conversation, reader: Reader<'_>, now: Timestamp) -> bool {
    if conversation.deleted {
        return false;
    }
    if reader.powerful || reader.member.is_some_and(Member::is_active) {
        return true;
    }
    conversation.visibility() == Visibility::Open
        && reader.user.is_some()
        && !reader.member.is_some_and(|member| member.is_banned(now))
}

/// Whether the reader may see the entry: present when it was written, of its audience, and not deleted for
/// oneself. A message shows what it says now: who was sent away before it was edited, and may not look in now, sees none
/// of it.
#[must_use]
pub fn may_see(openness: &Openness, reader: Reader<'_>, entry: &Entry) -> bool {
    let Some(user) = reader.user else { return true };
    if !reader.powerful && was_absent(openness, reader.member, entry.seq(), entry.at) {
        return false;
    }
    if let Event::MessageCreated(message) = &entry.event
        && let Some(edit) = message.state.edited
        && !reader.powerful
        && is_shut_out_since_before(openness, reader.member, edit.seq, edit.at)
    {
        return false;
    }
    if let Event::CopiesDeleted { user: whose, .. } | Event::ConversationPinned { user: whose, .. } =
        &entry.event
    {
        return whose == user;
    }
    let hidden = |seq| reader.member.is_some_and(|member| member.hidden.contains(seq));
    let Some(subject) = entry.subject() else { return !hidden(entry.seq()) };
    if hidden(subject.seq) {
        return false;
    }
    if subject.author == user {
        return true;
    }
    // An entry about a message that was written while the reader was away tells of that message.
    if subject.seq != entry.seq()
        && !reader.powerful
        && was_absent(
            openness,
            reader.member,
            subject.seq,
            subject.at.unwrap_or(Timestamp::from_millis(i64::MIN)),
        )
    {
        return false;
    }
    let audience = subject.audience;
    !audience.except.contains(user) && (audience.only.is_empty() || audience.only.contains(user))
}

/// The entry up to which no message is left for the reader, who deleted the own copies of all: so far a log need
/// not be read. It is said of a log's beginning only: in a later range there might be the edit of a message that
/// stands before it.
#[must_use]
pub fn nothing_up_to(reader: Reader<'_>) -> Seq {
    reader.user.and(reader.member).map_or(Seq(0), |member| member.hidden.beginning())
}

/// Whether the entry is told live to a user who may see it: an author whom the message leaves out finds it in the
/// histories only.
#[must_use]
pub fn is_told(user: &UserId, entry: &Entry) -> bool {
    let Event::MessageCreated(message) = &entry.event else { return true };
    message.author != *user || !message.audience.except.contains(user)
}

/// Whether the entry counts as unread for the reader, if it lies after the reader's mark.
#[must_use]
pub fn counts_unread(openness: &Openness, reader: Reader<'_>, entry: &Entry) -> bool {
    let Event::MessageCreated(message) = &entry.event else { return false };
    reader.user != Some(&message.author)
        && !message.content.no_unread
        && message.is_listed()
        && !message.state.recalled
        && may_see(openness, reader, entry)
}

/// Whether the user was gone or banned when the entry `seq` was written, in a conversation that this closes.
fn was_absent(openness: &Openness, member: Option<&Member>, seq: Seq, at: Timestamp) -> bool {
    let absences = member.map(|member| member.absences.iter());
    absences.into_iter().flatten().any(|absence| covers(openness, absence, seq, at))
}

/// Whether the user was gone or banned when the entry `seq` was written, has not come back since, and it was not opened to
/// who is gone.
fn is_shut_out_since_before(openness: &Openness, member: Option<&Member>, seq: Seq, at: Timestamp) -> bool {
    let last = member.and_then(|member| member.absences.last()).filter(|absence| absence.to.is_none());
    last.is_some_and(|absence| {
        (absence.ban || openness.visibility != Visibility::Open) && covers(openness, absence, seq, at)
    })
}

fn covers(openness: &Openness, absence: &Absence, seq: Seq, at: Timestamp) -> bool {
    let inside = absence.from < seq && absence.to.is_none_or(|to| seq < to);
    let banned = absence.ban && absence.until.is_none_or(|until| at < until);
    inside && (banned || openness.at(seq) != Visibility::Open)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        Dialect, Message, MessageId, Number, Place, Role,
        conversation::tests::conversation,
        ids::Nonce,
        message::{Audience, Content, Edit, State},
        ranges::Ranges,
    };

    fn user(id: &str) -> UserId {
        UserId::trusted(id)
    }

    fn message(seq: u64, author: &str, only: &[&str], except: &[&str]) -> Entry {
        let place = Place { number: Number(1), seq: Seq(seq) };
        let set = |ids: &[&str]| ids.iter().map(|id| user(id)).collect::<BTreeSet<_>>();
        let at = Timestamp::from_millis(i64::try_from(seq).unwrap());
        Entry {
            place,
            at,
            actor: Some(user(author)),
            dialect: Dialect::Channelize,
            nonce: Nonce::new(0),
            settings: Seq(1),
            event: Event::MessageCreated(Box::new(Message {
                id: MessageId::mint(place, Nonce::new(0)),
                place,
                author: user(author),
                dialect: Dialect::Channelize,
                at,
                content: Content::default(),
                audience: Audience { only: set(only), except: set(except) },
                state: State::default(),
            })),
        }
    }

    fn edit(seq: u64, of: &Entry) -> Entry {
        let Event::MessageCreated(message) = &of.event else { panic!("not a message") };
        Entry {
            place: Place { seq: Seq(seq), ..of.place },
            at: Timestamp::from_millis(i64::try_from(seq).unwrap()),
            event: Event::MessageEdited(message.reference()),
            ..of.clone()
        }
    }

    /// bob joined at 2, left at 10, came back at 20, was banned at 30 and unbanned at 40, joined again at 50.
    fn bob() -> Member {
        let mut member = Member::stranger(user("bob"), Number(1));
        let now = Timestamp::from_millis(0);
        member.join(Role::Member, Seq(2), now);
        member.leave(Seq(10));
        member.join(Role::Member, Seq(20), now);
        member.ban(Seq(30), "spam".into(), None);
        member.unban(Seq(40));
        member.join(Role::Member, Seq(50), now);
        member
    }

    fn sees(visibility: Visibility, member: &Member, entry: &Entry) -> bool {
        let reader = Reader { user: Some(&member.user), member: Some(member), powerful: false };
        may_see(&Openness::new(visibility), reader, entry)
    }

    #[test]
    fn nobody_sees_what_was_written_while_away() {
        let bob = bob();
        let seen = |visibility| -> Vec<u64> {
            [1, 2, 9, 10, 11, 19, 20, 30, 31, 39, 40, 41, 49, 50, 51]
                .into_iter()
                .filter(|&seq| sees(visibility, &bob, &message(seq, "ann", &[], &[])))
                .collect()
        };
        assert_eq!(seen(Visibility::Private), [1, 2, 9, 10, 20, 30, 40, 50, 51]);
        assert_eq!(seen(Visibility::Public), seen(Visibility::Private));
        // Leaving hides nothing of an open conversation; a ban does.
        assert_eq!(seen(Visibility::Open), [1, 2, 9, 10, 11, 19, 20, 30, 40, 41, 49, 50, 51]);
    }

    #[test]
    fn an_edit_of_a_message_that_one_may_not_see_is_not_seen() {
        let missed = message(15, "ann", &[], &[]);
        assert!(!sees(Visibility::Private, &bob(), &edit(51, &missed)));
        assert!(sees(Visibility::Private, &bob(), &edit(51, &message(9, "ann", &[], &[]))));
        let secret = message(52, "ann", &["cat"], &[]);
        assert!(!sees(Visibility::Private, &bob(), &edit(53, &secret)));
    }

    #[test]
    fn what_a_message_was_edited_to_is_not_for_who_was_sent_away_before() {
        let mut entry = message(5, "ann", &[], &[]);
        let Event::MessageCreated(said) = &mut entry.event else { panic!("not a message") };
        said.state.edited = Some(Edit { seq: Seq(12), at: Timestamp::from_millis(12) });
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.join(Role::Member, Seq(2), Timestamp::from_millis(0));
        assert!(sees(Visibility::Private, &bob, &entry));
        bob.leave(Seq(11));
        assert!(!sees(Visibility::Private, &bob, &entry));
        assert!(sees(Visibility::Open, &bob, &entry));
        // It was private when it was edited, and is open to everybody by now.
        let mut openness = Openness::new(Visibility::Private);
        openness.set(Visibility::Open, Seq(14));
        let reader = Reader { user: Some(&bob.user), member: Some(&bob), powerful: false };
        assert!(may_see(&openness, reader, &entry));
        bob.join(Role::Member, Seq(20), Timestamp::from_millis(0));
        assert!(sees(Visibility::Private, &bob, &entry));
        bob.ban(Seq(30), "spam".into(), None);
        assert!(sees(Visibility::Open, &bob, &entry), "it was edited before");
    }

    #[test]
    fn an_audience_is_its_users_and_the_author() {
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.join(Role::Member, Seq(1), Timestamp::from_millis(0));
        let sees = |entry: &Entry| sees(Visibility::Private, &bob, entry);
        assert!(sees(&message(5, "ann", &["bob"], &[])));
        assert!(!sees(&message(5, "ann", &["cat"], &[])));
        assert!(!sees(&message(5, "ann", &[], &["bob"])));
        assert!(!sees(&message(5, "ann", &["bob"], &["bob"])));
        assert!(sees(&message(5, "bob", &["cat"], &["bob"])));
        let server = Reader { user: None, member: None, powerful: true };
        assert!(may_see(&Openness::new(Visibility::Private), server, &message(5, "ann", &["cat"], &[])));
    }

    #[test]
    fn an_own_copy_that_was_deleted_is_gone_for_its_user_and_so_are_its_edits() {
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.join(Role::Member, Seq(1), Timestamp::from_millis(0));
        let mut gone = Ranges::default();
        gone.insert(Seq(5), Seq(5));
        bob.hidden = gone.clone();
        let entry = message(5, "ann", &[], &[]);
        assert!(!sees(Visibility::Private, &bob, &entry));
        assert!(!sees(Visibility::Private, &bob, &edit(6, &entry)));
        assert!(sees(Visibility::Private, &bob, &message(6, "ann", &[], &[])));
        let deletion = |whose| Entry {
            event: Event::CopiesDeleted { user: user(whose), messages: gone.clone() },
            ..entry.clone()
        };
        assert!(sees(Visibility::Private, &bob, &deletion("bob")));
        let pin = |whose| Entry {
            event: Event::ConversationPinned { user: user(whose), on: true },
            ..entry.clone()
        };
        let ann_s = Entry { place: Place { seq: Seq(7), ..entry.place }, ..pin("ann") };
        let bob_s = Entry { place: Place { seq: Seq(7), ..entry.place }, ..pin("bob") };
        assert!(!sees(Visibility::Private, &bob, &ann_s) && sees(Visibility::Private, &bob, &bob_s));
        assert!(!sees(Visibility::Private, &bob, &deletion("ann")));
    }

    #[test]
    fn where_nothing_is_left_nothing_is_seen() {
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.join(Role::Member, Seq(1), Timestamp::from_millis(0));
        for (from, to, expected) in [(7, 8, 0), (1, 5, 5), (6, 6, 8)] {
            bob.hidden.insert(Seq(from), Seq(to));
            let up_to =
                |powerful| nothing_up_to(Reader { user: Some(&bob.user), member: Some(&bob), powerful });
            assert_eq!((up_to(false), up_to(true)), (Seq(expected), Seq(expected)));
            for seq in 1..=expected {
                for by in ["ann", "bob"] {
                    let entry = message(seq, by, &[], &[]);
                    assert!(!sees(Visibility::Private, &bob, &entry));
                    assert!(!sees(Visibility::Open, &bob, &edit(seq + 1, &entry)));
                }
            }
            // The server itself has no copies, and sees what there is.
            let server = Reader { user: None, member: Some(&bob), powerful: true };
            assert_eq!(nothing_up_to(server), Seq(0));
        }
        assert!(sees(Visibility::Private, &bob, &message(9, "ann", &[], &[])));
    }

    #[test]
    fn a_ban_with_an_end_is_over_by_itself() {
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.ban(Seq(10), String::new(), Some(Timestamp::from_millis(20)));
        assert!(!sees(Visibility::Open, &bob, &message(19, "ann", &[], &[])));
        assert!(sees(Visibility::Open, &bob, &message(20, "ann", &[], &[])));
        let open = conversation(Visibility::Open);
        let reader = Reader { user: Some(&bob.user), member: Some(&bob), powerful: false };
        assert!(!may_read(&open, reader, Timestamp::from_millis(19)));
        assert!(may_read(&open, reader, Timestamp::from_millis(20)));
    }

    #[test]
    fn an_edit_of_what_was_written_after_a_ban_ended_by_itself_is_seen() {
        let mut bob = Member::stranger(user("bob"), Number(1));
        bob.ban(Seq(10), String::new(), Some(Timestamp::from_millis(20)));
        assert!(sees(Visibility::Open, &bob, &edit(22, &message(21, "ann", &[], &[]))));
        assert!(!sees(Visibility::Open, &bob, &edit(22, &message(19, "ann", &[], &[]))));
    }

    #[test]
    fn only_members_read_what_is_not_open() {
        let now = Timestamp::from_millis(99);
        let bob = user("bob");
        let stranger = Reader { user: Some(&bob), member: None, powerful: false };
        for (visibility, expected) in
            [(Visibility::Private, false), (Visibility::Public, false), (Visibility::Open, true)]
        {
            assert_eq!(may_read(&conversation(visibility), stranger, now), expected);
            let powerful = Reader { powerful: true, ..stranger };
            assert!(may_read(&conversation(visibility), powerful, now));
        }
        let mut deleted = conversation(Visibility::Open);
        deleted.deleted = true;
        assert!(!may_read(&deleted, Reader { powerful: true, ..stranger }, now));
    }
}
