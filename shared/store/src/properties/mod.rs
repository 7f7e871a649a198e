//! What holds of items for whatever values: what is written is read again and is the same, and keys stand in the
//! order of their numbers.

use std::collections::BTreeSet;

use domain::{
    Conversation, ConversationId, Dialect, Entry, Event, Message, MessageId, Number, Place, Seq, User,
    UserId,
    message::{Content, State},
};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    change::{self, Change},
    channel, connection, conversation,
    hold::Flow,
    item, keys,
    listener::{self, Listener},
    log, member, schema, signal,
    subscription::{self, Subscription},
    user,
};

mod values;

use values::{
    a_channel, a_connection, a_conversation, a_member, a_user, audience, content, entry, message, moment,
    moment_of, object, text, user_id,
};

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
    fn a_message_knows_what_it_said_first_however_often_it_is_changed(
        entry in entry(), message in message(), said in vec(content(), 1..4), other in content(), recalled: bool,
    ) {
        let id = MessageId::trusted("chosen");
        let entry = Entry { place: message.place, ..entry };
        let mut now = Message { id, dialect: entry.dialect, at: entry.at, state: State::default(), ..message };
        let read = |message: &Message| {
            let event = Event::MessageCreated(Box::new(message.clone()));
            let item = log::to_item(&Entry { event, ..entry.clone() }).unwrap();
            let Event::MessageCreated(read) = log::from_item(&item).unwrap().event else { panic!("no message") };
            *read
        };
        let first = now.content.clone();
        prop_assert!(read(&now).said_first(&first));
        for content in said {
            now = read(&now);
            now.rewrite(|all| *all = content);
        }
        if recalled {
            now.recall();
        }
        let now = read(&now);
        prop_assert!(now.said_first(&first));
        let minted = |content: &Content| {
            let mut content = Content { parent: None, ..content.clone() };
            content.attachments.iter_mut().for_each(|one| { one.remove("id"); });
            content
        };
        prop_assert_eq!(now.said_first(&other), minted(&other) == minted(&first));
        prop_assert_eq!(now.said_first(&now.content), minted(&now.content) == minted(&first));
    }

    #[test]
    fn a_member_is_read_as_it_was_written(member in a_member()) {
        let mut item = item::keyed(&keys::member(&ConversationId::trusted("c"), &member.user));
        item.insert("x".into(), item::json(&member).unwrap());
        prop_assert_eq!(member::from_item(&item).unwrap(), member);
    }

    #[test]
    fn a_user_is_read_as_it_was_written(user in a_user(), hash in option::of(text())) {
        let item = user::to_item(&user, hash.as_deref()).unwrap();
        prop_assert_eq!(item::get_json::<User>(&item, "x").unwrap(), user.clone());
        prop_assert_eq!(keys::user_id(item::get_text(&item, "pk").unwrap()), user.id);
    }

    #[test]
    fn a_conversation_is_read_as_it_was_written(conversation in a_conversation()) {
        let item = conversation::to_item(&conversation).unwrap();
        prop_assert_eq!(item::get_json::<Conversation>(&item, "x").unwrap(), conversation.clone());
        prop_assert_eq!(item.contains_key("gone"), conversation.deleted);
        prop_assert_eq!(item::get_number::<u64>(&item, "n").unwrap(), conversation.number.0);
    }

    #[test]
    fn a_channel_is_read_as_it_was_written(id in "[^\\p{Cc}]{1,12}", channel in a_channel()) {
        let id = ConversationId::trusted(id);
        prop_assert_eq!(channel::from_item(&channel::to_item(&id, &channel).unwrap()).unwrap(), (id, channel));
    }

    #[test]
    fn a_listener_is_read_as_it_was_written(
        (of, polls, socket, opening) in (a_connection(), moment(), option::of("[a-z]{1,8}"), option::of(0..9_u64)),
        life in 1_i64..100_000,
    ) {
        let (since, polls_until) = (of.since, polls);
        let listener = Listener { id: of.id, user: of.user, socket, since, polls_until, opening };
        let item = listener::to_item(&listener, item::number(life));
        prop_assert_eq!(listener::from_item(&item).unwrap(), listener);
        prop_assert_eq!(connection::dialect(&item), Some(Dialect::Channelstream));
    }

    #[test]
    fn a_subscription_is_read_as_it_was_written(
        connection in a_connection(), topic in "[^\\p{Cc}]{1,12}", detail in option::of(text()), life in 1_i64..100_000,
    ) {
        let item = subscription::to_item(&connection, &topic, detail.as_deref());
        let of = Subscription { connection: connection.clone(), topic, detail, flow: Flow::All };
        prop_assert_eq!(subscription::alive(std::slice::from_ref(&item), moment_of(life)).unwrap(), [of.clone()]);
        // Over is over, whenever DynamoDB removes it.
        let mut mortal = item;
        mortal.insert(schema::TTL.into(), item::number(life));
        prop_assert_eq!(subscription::alive(std::slice::from_ref(&mortal), moment_of(life - 1)).unwrap(), [of]);
        prop_assert_eq!(subscription::alive(&[mortal], moment_of(life)).unwrap(), []);
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
