//! What holds of the nouns for whatever values: ids that carry places come back, ranges are sets, ranks are an
//! order, and visibility is what the contract says, told again here in the plainest way.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*};

use crate::{
    Conversation, ConversationId, Dialect, Entry, Event, Member, Message, MessageId, Number, Openness, Place,
    Role, Seq, Timestamp, Topic, UserId, Visibility,
    conversation::tests::conversation,
    ids::Nonce,
    message::{Audience, Content, State},
    permission::Actor,
    ranges::Ranges,
    visibility::{Reader, counts_unread, may_read, may_see},
};

const VISIBILITIES: [Visibility; 3] = [Visibility::Private, Visibility::Public, Visibility::Open];
const ROLES: [Role; 4] = [Role::Member, Role::Moderator, Role::Admin, Role::Owner];
/// The reader, and two others.
const USERS: [&str; 3] = ["bob", "ann", "cat"];

fn bob() -> UserId {
    UserId::trusted(USERS[0])
}

/// Something that happens in a conversation; what cannot happen there and then is left out.
#[derive(Debug, Clone)]
enum Deed {
    Join,
    Leave,
    /// Bans for so many entries, or for good.
    Ban(Option<u64>),
    Unban,
    Open(Visibility),
    Write {
        author: usize,
        only: BTreeSet<usize>,
        except: BTreeSet<usize>,
    },
    /// Edits the nth message.
    Edit(prop::sample::Index),
    /// Bob deletes the own copy of the nth message.
    Hide(prop::sample::Index),
}

fn deed() -> impl Strategy<Value = Deed> {
    let users = || prop::collection::btree_set(0..USERS.len(), 0..3);
    prop_oneof![
        2 => Just(Deed::Join),
        1 => Just(Deed::Leave),
        1 => option::of(0_u64..6).prop_map(Deed::Ban),
        1 => Just(Deed::Unban),
        1 => prop::sample::select(VISIBILITIES.to_vec()).prop_map(Deed::Open),
        6 => (0..USERS.len(), users(), users())
            .prop_map(|(author, only, except)| Deed::Write { author, only, except }),
        3 => any::<prop::sample::Index>().prop_map(Deed::Edit),
        1 => any::<prop::sample::Index>().prop_map(Deed::Hide),
    ]
}

/// How bob stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stands {
    Never,
    In,
    Out,
    Banned(Option<u64>),
}

/// What was true when an entry was written, and the entry.
#[derive(Debug)]
struct Moment {
    entry: Entry,
    stands: Stands,
    /// It is about bob himself: how he stands was another before.
    moved: bool,
    visibility: Visibility,
}

/// A log, with bob's standing as the program keeps it and as it was at every entry.
struct World {
    member: Option<Member>,
    conversation: Conversation,
    moments: Vec<Moment>,
    hidden: BTreeSet<u64>,
}

fn users(of: &BTreeSet<usize>) -> BTreeSet<UserId> {
    of.iter().map(|index| UserId::trusted(USERS[*index])).collect()
}

fn moment(seq: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seq).unwrap())
}

impl World {
    fn new(visibility: Visibility, deeds: &[Deed]) -> Self {
        let mut world = Self {
            member: None,
            conversation: conversation(visibility),
            moments: Vec::new(),
            hidden: BTreeSet::new(),
        };
        let mut stands = Stands::Never;
        for deed in deeds {
            let seq = u64::try_from(world.moments.len()).unwrap() + 1;
            let Some(event) = world.take(deed, seq, &mut stands) else { continue };
            let place = Place { number: Number(1), seq: Seq(seq) };
            let (actor, dialect, nonce) = (None, Dialect::Events, Nonce::new(0));
            let entry = Entry { place, at: moment(seq), actor, dialect, nonce, settings: Seq(1), event };
            let visibility = world.conversation.visibility();
            let moved = matches!(deed, Deed::Join | Deed::Leave | Deed::Ban(_) | Deed::Unban);
            world.moments.push(Moment { entry, stands, moved, visibility });
        }
        world
    }

    /// What the deed is in the log, once it is done; none if it cannot be done.
    fn take(&mut self, deed: &Deed, seq: u64, stands: &mut Stands) -> Option<Event> {
        let (at, now) = (Seq(seq), moment(seq));
        let over = |until: Option<u64>| until.is_some_and(|until| until <= seq);
        let stranger = Member::stranger(bob(), Number(1));
        match deed {
            Deed::Join => {
                match *stands {
                    Stands::In => return None,
                    Stands::Banned(until) if !over(until) => return None,
                    _ => {}
                }
                self.member.get_or_insert(stranger).join(Role::Member, at, now);
                *stands = Stands::In;
            }
            Deed::Leave => {
                self.member.as_mut().filter(|_| *stands == Stands::In)?.leave(at);
                *stands = Stands::Out;
            }
            Deed::Ban(lasting) => {
                if matches!(*stands, Stands::Banned(until) if !over(until)) {
                    return None;
                }
                let until = lasting.map(|entries| seq + entries);
                self.member.get_or_insert(stranger).ban(at, "why".to_owned(), until.map(moment));
                *stands = Stands::Banned(until);
            }
            Deed::Unban => {
                self.member.as_mut().filter(|_| matches!(*stands, Stands::Banned(_)))?.unban(at);
                *stands = Stands::Out;
            }
            Deed::Open(visibility) => self.conversation.openness.set(*visibility, at),
            Deed::Write { author, only, except } => {
                let audience = Audience { only: users(only), except: users(except) };
                return Some(Event::MessageCreated(Box::new(message(seq, USERS[*author], audience))));
            }
            Deed::Edit(which) => {
                let messages = self.messages();
                let of = messages.get(which.index(messages.len().max(1)))?;
                return Some(Event::MessageEdited(of.reference()));
            }
            Deed::Hide(which) => {
                let messages = self.messages();
                let of = messages.get(which.index(messages.len().max(1)))?.place.seq;
                let member = self.member.as_mut().filter(|member| member.is_active())?;
                member.hidden.insert(of, of);
                self.hidden.insert(of.0);
                let mut messages = Ranges::default();
                messages.insert(of, of);
                return Some(Event::CopiesDeleted { user: bob(), messages });
            }
        }
        Some(Event::ConversationDeleted)
    }

    fn messages(&self) -> Vec<Message> {
        let event = |moment: &Moment| match &moment.entry.event {
            Event::MessageCreated(message) => Some((**message).clone()),
            _ => None,
        };
        self.moments.iter().filter_map(event).collect()
    }

    /// Whether bob was away: sent or gone before this entry, and neither sent nor back with it.
    fn was_away(&self, seq: u64) -> bool {
        let Moment { stands, moved, visibility, .. } = &self.moments[usize::try_from(seq).unwrap() - 1];
        if *moved {
            return false;
        }
        match *stands {
            Stands::Never | Stands::In => false,
            Stands::Out => *visibility != Visibility::Open,
            Stands::Banned(until) => *visibility != Visibility::Open || until.is_none_or(|until| seq < until),
        }
    }

    fn is_shown(&self, author: &UserId, audience: &Audience, seq: u64) -> bool {
        let bob = bob();
        !self.hidden.contains(&seq)
            && (*author == bob
                || (!audience.except.contains(&bob)
                    && (audience.only.is_empty() || audience.only.contains(&bob))))
    }

    /// What bob sees, by the contract's words.
    fn sees(&self, entry: &Entry) -> bool {
        let seq = entry.seq().0;
        if self.was_away(seq) {
            return false;
        }
        match &entry.event {
            Event::MessageCreated(message) => self.is_shown(&message.author, &message.audience, seq),
            Event::MessageEdited(of) => {
                self.is_shown(&of.author, &of.audience, of.seq.0)
                    && (of.author == bob() || !self.was_away(of.seq.0))
            }
            _ => true,
        }
    }
}

fn message(seq: u64, author: &str, audience: Audience) -> Message {
    let place = Place { number: Number(1), seq: Seq(seq) };
    Message {
        id: MessageId::mint(place, Nonce::new(0)),
        place,
        author: UserId::trusted(author),
        dialect: Dialect::Events,
        at: moment(seq),
        content: Content::default(),
        audience,
        state: State::default(),
    }
}

fn place() -> impl Strategy<Value = Place> {
    (0..1_u64 << 40, 0..1_u64 << 40).prop_map(|(number, seq)| Place { number: Number(number), seq: Seq(seq) })
}

fn member(standing: Option<Role>) -> Option<Member> {
    let mut member = Member::stranger(bob(), Number(1));
    member.join(standing?, Seq(1), Timestamp::default());
    Some(member)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_member_sees_what_the_contract_says(
        visibility in prop::sample::select(VISIBILITIES.to_vec()),
        deeds in vec(deed(), 1..40),
    ) {
        let world = World::new(visibility, &deeds);
        let bob = bob();
        let reader = Reader { user: Some(&bob), member: world.member.as_ref(), powerful: false };
        let openness = &world.conversation.openness;
        for Moment { entry, .. } in &world.moments {
            prop_assert_eq!(may_see(openness, reader, entry), world.sees(entry), "{:?}", entry);
            if counts_unread(openness, reader, entry) {
                prop_assert!(may_see(openness, reader, entry));
            }
            let server = Reader { user: None, member: None, powerful: true };
            prop_assert!(may_see(openness, server, entry), "the application's server sees everything");
        }
    }

    #[test]
    fn who_looks_in_is_a_member_or_it_is_open_and_no_ban_is_on(
        visibility in prop::sample::select(VISIBILITIES.to_vec()),
        deeds in vec(deed(), 1..40),
    ) {
        let world = World::new(visibility, &deeds);
        let seq = u64::try_from(world.moments.len()).unwrap();
        let stands = world.moments.last().map_or(Stands::Never, |last| last.stands);
        let bob = bob();
        let reader = Reader { user: Some(&bob), member: world.member.as_ref(), powerful: false };
        let open = world.conversation.visibility() == Visibility::Open;
        let expected = match stands {
            Stands::In => true,
            Stands::Never | Stands::Out => open,
            Stands::Banned(until) => open && until.is_some_and(|until| until <= seq),
        };
        prop_assert_eq!(may_read(&world.conversation, reader, moment(seq)), expected);
        let actor = Actor { user: Some(&bob), member: world.member.as_ref(), powerful: false };
        prop_assert_eq!(actor.may_write(&world.conversation, moment(seq)).is_ok(), expected);
    }

    #[test]
    fn the_openness_of_an_entry_is_the_last_that_was_set(
        first in prop::sample::select(VISIBILITIES.to_vec()),
        later in vec((1_u64..5, prop::sample::select(VISIBILITIES.to_vec())), 0..8),
    ) {
        let (mut openness, mut seq, mut plain) = (Openness::new(first), 0, vec![first]);
        for (step, visibility) in later {
            seq += step;
            plain.resize(usize::try_from(seq).unwrap(), openness.visibility);
            plain.push(visibility);
            openness.set(visibility, Seq(seq));
        }
        let kept: Openness = serde_json::from_str(&serde_json::to_string(&openness).unwrap()).unwrap();
        for (seq, then) in (0..).zip(plain) {
            prop_assert_eq!((openness.at(Seq(seq)), kept.at(Seq(seq))), (then, then));
        }
    }

    #[test]
    fn more_absences_than_are_kept_hide_more_and_never_less(leaves in 1_usize..140, seq in 1_u64..600) {
        let mut member = Member::stranger(bob(), Number(1));
        let (mut at, mut away) = (1, BTreeSet::new());
        for _ in 0..leaves {
            member.join(Role::Member, Seq(at), moment(at));
            member.leave(Seq(at + 1));
            away.insert(at + 2);
            at += 4;
        }
        let reader = Reader { user: Some(&member.user), member: Some(&member), powerful: false };
        let place = Place { number: Number(1), seq: Seq(seq) };
        let event = Event::MessageCreated(Box::new(message(seq, "ann", Audience::default())));
        let entry = Entry {
            place,
            at: moment(seq),
            actor: None,
            dialect: Dialect::Events,
            nonce: Nonce::new(0),
            settings: Seq(1),
            event,
        };
        let seen = may_see(&Openness::new(Visibility::Private), reader, &entry);
        prop_assert!(!seen || !away.contains(&seq));
        prop_assert!(member.absences.len() <= crate::limits::RANGES_PER_MEMBER);
    }

    #[test]
    fn a_minted_id_carries_its_place(place in place(), random: u64) {
        let id = MessageId::mint(place, Nonce::new(random));
        prop_assert_eq!(id.place(), Some((place, Nonce::new(random))));
        prop_assert_eq!(MessageId::parse(id.as_str()).unwrap(), id);
    }

    #[test]
    fn what_looks_like_a_minted_id_is_the_one_that_would_be_minted(text in "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-8[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}") {
        let (place, nonce) = MessageId::parse(text.as_str()).unwrap().place().unwrap();
        let minted = MessageId::mint(place, nonce);
        prop_assert_eq!(minted.as_str(), text.to_lowercase());
    }

    #[test]
    fn no_text_is_a_place_by_accident(text in ".{0,40}") {
        if let Some((place, nonce)) = MessageId::trusted(text.as_str()).place() {
            prop_assert_eq!(MessageId::mint(place, nonce).to_string(), text.to_lowercase());
        }
    }

    #[test]
    fn a_packed_place_comes_back_and_grows_with_the_seq(place in place(), packed: u64) {
        if let Some(packed) = place.packed() {
            prop_assert!(packed < 1 << 53);
            prop_assert_eq!(Place::unpacked(packed), Some(place));
            if let Some(next) = (Place { seq: place.seq.next(), ..place }).packed() {
                prop_assert!(next > packed);
            }
        }
        prop_assert_eq!(Place::unpacked(packed).and_then(Place::packed), Some(packed).filter(|it| *it < 1 << 53));
    }

    #[test]
    fn ranges_are_a_set(inserts in vec((0_u64..80, 0_u64..12), 0..30)) {
        let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
        for (from, length) in inserts {
            ranges.insert(Seq(from), Seq(from + length));
            set.extend(from..=from + length);
        }
        for seq in 0..100 {
            prop_assert_eq!(ranges.contains(Seq(seq)), set.contains(&seq));
        }
        // Disjoint, in order, and no two that could be one.
        let list: Vec<_> = ranges.iter().collect();
        prop_assert!(list.windows(2).all(|pair| pair[0].1.0 + 1 < pair[1].0.0));
        let text = serde_json::to_string(&ranges).unwrap();
        prop_assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), ranges);
    }

    #[test]
    fn the_text_of_ranges_is_read_or_refused(text in "[0-9,\\-]{0,30}") {
        if let Ok(ranges) = serde_json::from_value::<Ranges>(text.into()) {
            let again = serde_json::to_value(&ranges).unwrap();
            prop_assert_eq!(serde_json::from_value::<Ranges>(again).unwrap(), ranges);
        }
    }

    #[test]
    fn permission_grows_with_the_rank(
        own in option::of(prop::sample::select(ROLES.to_vec())),
        needed in prop::sample::select(ROLES.to_vec()),
        theirs in option::of(prop::sample::select(ROLES.to_vec())),
    ) {
        let (me, target) = (member(own), member(theirs));
        let actor = Actor { user: None, member: me.as_ref(), powerful: false };
        prop_assert_eq!(actor.needs(needed).is_ok(), own.is_some_and(|own| own >= needed));
        let over = actor.needs_over(needed, target.as_ref()).is_ok();
        prop_assert_eq!(over, own.is_some_and(|own| own >= needed && theirs.is_none_or(|role| own > role)));
        // Whoever stands higher may do no less.
        for higher in ROLES.into_iter().filter(|role| own.is_some_and(|own| *role >= own)) {
            let promoted = member(Some(higher));
            let actor = Actor { user: None, member: promoted.as_ref(), powerful: false };
            prop_assert!(actor.needs_over(needed, target.as_ref()).is_ok() || !over);
        }
    }

    #[test]
    fn a_topic_comes_back_from_its_name_and_from_its_log(id in "[^\\p{Cc}]{1,40}", kind in 0..3) {
        let topic = match kind {
            0 => Topic::Conversation(ConversationId::parse(id).unwrap()),
            1 => Topic::User(UserId::parse(id).unwrap()),
            _ => Topic::Global,
        };
        prop_assert_eq!(Topic::named(&topic.name()), Some(topic.clone()));
        prop_assert_eq!(Topic::of_log(&topic.log()), topic);
    }

    #[test]
    fn a_time_comes_back_from_its_text(millis in -62_167_219_200_000_i64..253_402_300_800_000) {
        let at = Timestamp::from_millis(millis);
        prop_assert_eq!(Timestamp::from_iso(&at.to_iso()), Some(at));
    }

    #[test]
    fn no_text_makes_reading_a_time_panic(text in "\\PC{0,40}") {
        if let Some(at) = Timestamp::from_iso(&text) {
            prop_assert_eq!(Timestamp::from_iso(&at.to_iso()), Some(at));
        }
    }
}
