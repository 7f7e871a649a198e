//! Anything that may be kept.

use domain::{
    Conversation, ConversationId, Dialect, Entry, Event, Member, Message, MessageId, Number, Object,
    Openness, Place, Role, Seq, Timestamp, User, UserId, Visibility,
    channel::{Channel, Settings},
    entry::{Arrival, Departure, Notice, Reaction},
    ids::Nonce,
    message::{Audience, Content, Edit, Mention, Parent, State},
    ranges::Ranges,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

use crate::connection::Connection;

pub(super) fn object() -> impl Strategy<Value = Object> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,10}".prop_map(Value::from)
    ];
    prop::collection::btree_map(".{0,6}", value, 0..3).prop_map(|map| map.into_iter().collect())
}

pub(super) fn user_id() -> impl Strategy<Value = UserId> {
    "[^\\p{Cc}]{1,12}".prop_map(UserId::trusted)
}

pub(super) fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

pub(super) fn place() -> impl Strategy<Value = Place> {
    (1..1_u64 << 40, 1..1_u64 << 39).prop_map(|(number, seq)| Place { number: Number(number), seq: Seq(seq) })
}

pub(super) fn ranges() -> impl Strategy<Value = Ranges> {
    vec((0_u64..200, 0_u64..5), 0..5).prop_map(|parts| {
        let mut ranges = Ranges::default();
        parts.into_iter().for_each(|(from, more)| ranges.insert(Seq(from), Seq(from + more)));
        ranges
    })
}

pub(super) fn audience() -> impl Strategy<Value = Audience> {
    let users = || prop::collection::btree_set(user_id(), 0..3);
    (users(), users()).prop_map(|(only, except)| Audience { only, except })
}

pub(super) fn content() -> impl Strategy<Value = Content> {
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

pub(super) fn state() -> impl Strategy<Value = State> {
    let reactions = prop::collection::btree_map(".{0,5}", vec(user_id(), 1..3), 0..3);
    let edited = option::of((any::<u64>(), moment()));
    let first = option::of(any::<u64>());
    (reactions, any::<bool>(), any::<u64>(), edited, any::<bool>(), first).prop_map(
        |(reactions, pinned, replies, edited, recalled, first)| State {
            reactions,
            pinned,
            replies,
            edited: edited.map(|(seq, at)| Edit { seq: Seq(seq), at }),
            recalled,
            first,
        },
    )
}

pub(super) fn message() -> impl Strategy<Value = Message> {
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
pub(super) fn event() -> impl Strategy<Value = Event> {
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

pub(super) fn entry() -> impl Strategy<Value = Entry> {
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
pub(super) fn a_member() -> impl Strategy<Value = Member> {
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

/// The second of that number.
pub(super) fn moment_of(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

pub(super) fn text() -> impl Strategy<Value = String> {
    ".{0,12}"
}

pub(super) fn a_user() -> impl Strategy<Value = User> {
    let texts = || option::of(text());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let texts = (text(), texts(), texts(), texts(), texts(), texts());
    (user_id(), any::<u64>(), texts, object(), flags, moment(), moment()).prop_map(
        |(id, number, texts, meta, flags, created_at, updated_at)| {
            let (name, surname, email, image_url, profile_url, language) = texts;
            let (invisible, quiet, guest, implicit, untold) = flags;
            User {
                id,
                number: Number(number),
                name,
                surname,
                email,
                image_url,
                profile_url,
                language,
                meta,
                invisible,
                quiet,
                guest,
                implicit,
                untold,
                created_at,
                updated_at,
            }
        },
    )
}

pub(super) fn openness() -> impl Strategy<Value = Openness> {
    let one = || prop::sample::select(vec![Visibility::Private, Visibility::Public, Visibility::Open]);
    (one(), vec((one(), any::<u64>()), 0..4)).prop_map(|(first, changes)| {
        let mut openness = Openness::new(first);
        changes.into_iter().for_each(|(next, seq)| openness.set(next, Seq(seq)));
        openness
    })
}

pub(super) fn a_conversation() -> impl Strategy<Value = Conversation> {
    let texts = || option::of(text());
    let names = ("[^\\p{Cc}]{1,12}", any::<u64>(), "[0-9a-f]{1,8}");
    let texts = (texts(), texts(), texts(), texts());
    let users = (option::of((user_id(), user_id())), option::of(user_id()));
    let rest = (object(), object(), moment(), moment(), any::<u64>(), any::<u64>(), any::<bool>());
    (names, texts, openness(), users, rest).prop_map(|(names, texts, openness, users, rest)| Conversation {
        id: ConversationId::trusted(names.0),
        number: Number(names.1),
        epoch: names.2,
        title: texts.0,
        description: texts.1,
        openness,
        peers: users.0,
        owner: users.1,
        custom_type: texts.2,
        image_url: texts.3,
        config: rest.0,
        meta: rest.1,
        created_at: rest.2,
        updated_at: rest.3,
        members: rest.4,
        changed: Seq(rest.5),
        deleted: rest.6,
    })
}

/// A channel whose settings were changed any number of times.
pub(super) fn a_channel() -> impl Strategy<Value = Channel> {
    let settings = (any::<[bool; 5]>(), any::<u64>()).prop_map(|(flags, history_size)| Settings {
        notify_presence: flags[0],
        store_history: flags[1],
        history_size,
        broadcast_presence_with_user_lists: flags[2],
        notify_state: flags[3],
        store_frames: flags[4],
    });
    (any::<u64>(), vec((settings, any::<u64>()), 1..120), moment()).prop_map(|(number, all, now)| {
        let mut channel = Channel::new(Number(number), Settings::default(), Seq(1), now);
        all.into_iter().for_each(|(settings, next)| channel.configure(settings, Seq(next)));
        channel
    })
}

pub(super) fn a_connection() -> impl Strategy<Value = Connection> {
    let dialect = prop::sample::select(Dialect::ALL.to_vec());
    ("[A-Za-z0-9_=-]{1,16}", user_id(), dialect, moment(), any::<bool>())
        .prop_map(|(id, user, dialect, since, arrays)| Connection { id, user, dialect, since, arrays })
}
