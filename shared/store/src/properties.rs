//! What holds of items for whatever values: what is written is read again and is the same, and keys stand in the
//! order of their numbers.

use std::collections::BTreeSet;

use domain::{
    ConversationId, Dialect, Entry, Event, Member, Message, MessageId, Number, Object, Place, Role, Seq,
    Timestamp, UserId,
    entry::{Arrival, Departure, Notice, Reaction},
    ids::Nonce,
    message::{Audience, Content, Edit, Mention, Parent, State},
    ranges::Ranges,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

use crate::{
    change::{self, Change},
    item, keys, log, member, signal,
};

fn object() -> impl Strategy<Value = Object> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,10}".prop_map(Value::from)
    ];
    prop::collection::btree_map(".{0,6}", value, 0..3).prop_map(|map| map.into_iter().collect())
}

fn user_id() -> impl Strategy<Value = UserId> {
    "[^\\p{Cc}]{1,12}".prop_map(UserId::trusted)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn place() -> impl Strategy<Value = Place> {
    (1..1_u64 << 40, 1..1_u64 << 39).prop_map(|(number, seq)| Place { number: Number(number), seq: Seq(seq) })
}

fn ranges() -> impl Strategy<Value = Ranges> {
    vec((0_u64..200, 0_u64..5), 0..5).prop_map(|parts| {
        let mut ranges = Ranges::default();
        parts.into_iter().for_each(|(from, more)| ranges.insert(Seq(from), Seq(from + more)));
        ranges
    })
}

fn audience() -> impl Strategy<Value = Audience> {
    let users = || prop::collection::btree_set(user_id(), 0..3);
    (users(), users()).prop_map(|(only, except)| Audience { only, except })
}

fn content() -> impl Strategy<Value = Content> {
    let parent = (any::<u64>(), "[^\\p{Cc}]{1,8}");
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let mention = (user_id(), any::<i64>(), any::<i64>());
    (
        option::of(".{0,30}"),
        object(),
        option::of(parent),
        flags,
        vec(mention, 0..3),
        vec(object(), 0..3),
        object(),
        option::of(moment()),
    )
        .prop_map(|(text, payload, parent, flags, mentions, attachments, wire, claimed_at)| Content {
            text,
            payload,
            parent: parent.map(|(seq, id)| Parent { id: MessageId::trusted(id), seq: Seq(seq) }),
            thread_only: flags.0,
            no_push: flags.1,
            no_unread: flags.2,
            encrypted: flags.3,
            unlisted: flags.4,
            mentions: mentions
                .into_iter()
                .map(|(user, words, order)| Mention { user, words, order })
                .collect(),
            attachments,
            wire,
            claimed_at,
            ..Content::default()
        })
}

fn state() -> impl Strategy<Value = State> {
    let reactions = prop::collection::btree_map(".{0,5}", vec(user_id(), 1..3), 0..3);
    let edited = option::of((any::<u64>(), moment()));
    (reactions, any::<bool>(), any::<u64>(), edited, any::<bool>()).prop_map(
        |(reactions, pinned, replies, edited, recalled)| State {
            reactions,
            pinned,
            replies,
            edited: edited.map(|(seq, at)| Edit { seq: Seq(seq), at }),
            recalled,
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    (place(), option::of("[^\\p{Cc}]{1,20}"), user_id(), moment(), content(), audience(), state()).prop_map(
        |(place, id, author, at, content, audience, state)| Message {
            id: id.map_or_else(|| MessageId::mint(place, Nonce::new(7)), MessageId::trusted),
            place,
            author,
            dialect: Dialect::Events,
            at,
            content,
            audience,
            state,
        },
    )
}

/// Anything that can happen.
fn event() -> impl Strategy<Value = Event> {
    let users = || vec(user_id(), 0..3);
    let motive = || ".{0,10}";
    prop_oneof![
        message().prop_map(|of| Event::MessageEdited(of.reference())),
        message().prop_map(|of| Event::MessageRecalled(of.reference())),
        message().prop_map(|of| Event::MessagePinned(of.reference())),
        (message(), user_id(), motive()).prop_map(|(of, user, kind)| Event::ReactionAdded(Reaction {
            message: of.reference(),
            user,
            kind
        })),
        (user_id(), ranges()).prop_map(|(user, messages)| Event::CopiesDeleted { user, messages }),
        (user_id(), any::<bool>()).prop_map(|(user, on)| Event::ConversationPinned { user, on }),
        (option::of(motive()), any::<bool>(), users())
            .prop_map(|(title, direct, members)| Event::ConversationCreated { title, direct, members }),
        Just(Event::ConversationDeleted),
        (users(), users()).prop_map(|(members, named)| Event::MembersAdded {
            members,
            how: Arrival::Joined,
            named
        }),
        (users(), users()).prop_map(|(members, named)| Event::MembersRemoved {
            members,
            how: Departure::Kicked,
            named
        }),
        (user_id(), motive(), option::of(moment()), any::<bool>())
            .prop_map(|(user, motive, until, member)| Event::Banned { user, motive, until, member }),
        (user_id(), motive()).prop_map(|(user, motive)| Event::Unbanned { user, motive }),
        ("[^\\p{Cc}]{1,9}", motive()).prop_map(|(id, motive)| {
            Event::Notice(Notice::Banned { conversation: ConversationId::trusted(id), motive })
        }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let dialect = prop::sample::select(Dialect::ALL.to_vec());
    let head = (place(), moment(), option::of(user_id()), dialect, any::<u64>(), any::<u64>());
    (head, prop_oneof![event().prop_map(Ok), message().prop_map(Err)]).prop_map(|(head, what)| {
        let (place, at, actor, dialect, nonce, settings) = head;
        let nonce = Nonce::new(nonce);
        let (actor, event) = match what {
            Ok(event) => (actor, event),
            // A message's entry is its author's, of its time and place.
            Err(message) => {
                let minted = message.id.place().is_some();
                let id = if minted { MessageId::mint(place, nonce) } else { message.id };
                let message = Message { id, place, at, dialect, ..message };
                (Some(message.author.clone()), Event::MessageCreated(Box::new(message)))
            }
        };
        Entry { place, at, actor, dialect, nonce, settings: Seq(settings), event }
    })
}

/// A member to whom anything has happened.
fn a_member() -> impl Strategy<Value = Member> {
    (user_id(), any::<u64>(), vec((0..4, 0_u64..1000, option::of(moment())), 0..80), ranges(), any::<bool>())
        .prop_map(|(user, number, deeds, hidden, pinned)| {
            let mut member = Member::stranger(user, Number(number));
            for (deed, seq, at) in deeds {
                match deed {
                    0 => member.join(Role::Admin, Seq(seq), at.unwrap_or_default()),
                    1 => member.leave(Seq(seq)),
                    2 => member.ban(Seq(seq), "why".to_owned(), at),
                    _ => member.unban(Seq(seq)),
                }
            }
            member.hidden = hidden;
            member.pinned = pinned;
            member
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn an_entry_is_read_as_it_was_written_and_so_does_the_stream(entry in entry()) {
        let item = log::to_item(&entry).unwrap();
        prop_assert_eq!(&log::from_item(&item).unwrap(), &entry);
        prop_assert_eq!(keys::place(&item).unwrap(), entry.place);
        let Some(Change::Entry(told)) = change::of(&item, None).unwrap() else { panic!("no entry") };
        prop_assert_eq!(*told, entry);
        // A message in a new state is announced by the entry that changed it.
        prop_assert!(change::of(&item, Some(&item)).unwrap().is_none());
    }

    #[test]
    fn an_item_without_one_of_its_attributes_is_an_error_or_less_and_never_a_panic(entry in entry(), which: prop::sample::Index) {
        let mut item = log::to_item(&entry).unwrap();
        let name = item.keys().nth(which.index(item.len())).unwrap().clone();
        item.remove(&name);
        let _ = log::from_item(&item);
        item.insert(name, item::number("1"));
        let _ = log::from_item(&item);
        let _ = change::of(&item, None);
    }

    #[test]
    fn a_member_is_read_as_it_was_written(member in a_member()) {
        let mut item = item::keyed(&keys::member(&ConversationId::trusted("c"), &member.user));
        item.insert("x".into(), item::json(&member).unwrap());
        prop_assert_eq!(member::from_item(&item).unwrap(), member);
    }

    #[test]
    fn entries_stand_in_the_order_of_their_numbers(number in 1_u64..1 << 40, one in 0..1_u64 << 39, other in 0..1_u64 << 39) {
        let key = |seq| keys::entry(Place { number: Number(number), seq: Seq(seq) });
        let (first, second) = (key(one), key(other));
        prop_assert_eq!(&first.pk, &second.pk);
        prop_assert_eq!(first.sk.cmp(&second.sk), one.cmp(&other));
    }

    #[test]
    fn no_two_things_share_a_key(ids in vec("[^\\p{Cc}]{1,6}|[#:A-Z]{1,6}", 2..5)) {
        let mut keys_seen = BTreeSet::new();
        let distinct: BTreeSet<&String> = ids.iter().collect();
        for id in &distinct {
            let (user, room) = (UserId::trusted(id.as_str()), ConversationId::trusted(id.as_str()));
            for key in [
                keys::user(&user),
                keys::user_state(&user),
                keys::conversation(&room),
                keys::channel(&room),
                keys::chosen_message(&MessageId::trusted(id.as_str())),
                keys::user_news(&user),
                keys::session(id),
                keys::connection(id),
            ] {
                prop_assert!(keys_seen.insert(key.clone()), "{:?}", key);
            }
            for other in &distinct {
                let other = UserId::trusted(other.as_str());
                for key in [
                    keys::member(&room, &other),
                    keys::watcher(&room, &other),
                    keys::membership(&other, &room),
                    keys::relation(&user, keys::BLOCK, &other),
                    keys::relation(&user, keys::FRIEND, &other),
                    keys::user_connection(&user, other.as_str()),
                    keys::request(id, other.as_str()),
                ] {
                    prop_assert!(keys_seen.insert(key.clone()), "{:?}", key);
                }
            }
        }
    }

    #[test]
    fn two_users_have_one_direct_conversation_and_share_it_with_nobody(ids in vec("[a-c0-9:#]{1,4}", 4)) {
        let id = |n: usize| UserId::trusted(ids[n].as_str());
        let key = keys::direct(&id(0), &id(1));
        prop_assert_eq!(&keys::direct(&id(1), &id(0)), &key);
        let pair = |one: usize, other: usize| BTreeSet::from([id(one), id(other)]);
        prop_assert_eq!(keys::direct(&id(2), &id(3)) == key, pair(0, 1) == pair(2, 3));
    }

    #[test]
    fn a_signal_is_told_as_it_was_made(user in user_id(), typing: bool, at in moment(), event in object(), audience in audience()) {
        let told = signal::Signal::Told { dialect: Dialect::Channelstream, id: "1".into(), audience, event, at };
        let types = signal::Signal::Typing { user: user.clone(), typing, dialect: Dialect::Channels, at };
        for signal in [told, types] {
            let mut item = item::keyed(&keys::signal(Number(7), "kind", user.as_str()));
            item.insert("x".into(), item::json(&signal).unwrap());
            let Some(Change::Signal { number, signal: read }) = change::of(&item, None).unwrap() else {
                panic!("no signal")
            };
            prop_assert_eq!((number, read), (Number(7), signal));
        }
    }
}
