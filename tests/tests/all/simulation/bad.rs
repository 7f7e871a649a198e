//! Histories written by hand, each with one thing that must not be: the checker must see it, and nothing else.

use serde_json::{Value, json};
use tests::simulation::{
    checker,
    history::{Deed, Fact, Outcome},
    world::Run,
};

/// When worlds begin, unix milliseconds.
const BEGINNING: u64 = 1_790_000_000_000;

/// A room of ann, its owner, and bob; `private` unless said otherwise. Each entry is committed at ten times its number.
struct Story {
    run: Run,
    seq: u64,
    /// The last entry of each log of notices.
    notices: Vec<(String, u64)>,
}

impl Story {
    fn of(visibility: &str) -> Self {
        let mut story = Self { run: Run::default(), seq: 0, notices: Vec::new() };
        let room = "room".to_owned();
        story.fact(0, Fact::Room { room, number: 1, since: 0, visibility: visibility.to_owned() });
        let settings = json!({"pk": {"S": "CONV#room"}, "sk": {"S": "CONV"}, "n": {"N": "1"}});
        story.run.items.push(settings);
        story.event("ann", &json!({"conversation_created": {"title": "room", "members": ["ann"]}}));
        if visibility != "private" {
            story.notice(
                "global",
                &json!({"conversation_created": {"conversation": "room", "title": "room"}}),
            );
        }
        story.event("ann", &json!({"members_added": {"members": ["bob"], "how": "added"}}));
        story
    }

    fn fact(&mut self, at: u64, fact: Fact) {
        self.run.facts.push((at, fact));
    }

    fn entry(&mut self, mut item: Value) -> u64 {
        self.seq += 1;
        let at = self.seq * 10;
        item["pk"] = json!({"S": "LOG#1"});
        item["sk"] = json!({"S": format!("{:012}", self.seq)});
        item["t"] = json!({"N": (BEGINNING + at).to_string()});
        item["r"] = json!({"N": self.seq.to_string()});
        self.run.commits.insert((1, self.seq), at);
        self.run.items.push(item.clone());
        self.run.inserted.push(item);
        self.seq
    }

    /// An event, and the notice that follows from it.
    fn event(&mut self, actor: &str, event: &Value) -> u64 {
        if let Some(user) = event.pointer("/banned/user").and_then(Value::as_str) {
            self.notice(&format!("user:{user}"), &json!({"banned": {"conversation": "room", "motive": ""}}));
        }
        self.entry(json!({"u": {"S": actor}, "d": {"S": "c"}, "x": {"S": event.to_string()}}))
    }

    /// A notice in the log of that name.
    fn notice(&mut self, log: &str, notice: &Value) {
        let at = self.notices.iter().position(|(name, _)| name == log).unwrap_or_else(|| {
            let number = (100 + self.notices.len()).to_string();
            let conversation = format!("CONV#\u{1}{log}");
            let of = json!({"pk": {"S": conversation}, "sk": {"S": "CONV"}, "n": {"N": number}});
            self.run.items.push(of);
            self.notices.push((log.to_owned(), 0));
            self.notices.len() - 1
        });
        self.notices[at].1 += 1;
        let (number, seq) = (100 + at, self.notices[at].1);
        let event = json!({ "notice": notice }).to_string();
        let item = json!({"pk": {"S": format!("LOG#{number}")}, "sk": {"S": format!("{seq:012}")}, "r": {"N": "1"},
            "t": {"N": BEGINNING.to_string()}, "u": {"S": "ann"}, "d": {"S": "c"}, "x": {"S": event}});
        self.run.items.push(item.clone());
        self.run.inserted.push(item);
    }

    /// A message that is in the log, and nothing is known of who asked for it.
    fn written(&mut self, author: &str, text: &str, whom: &Value) -> u64 {
        self.entry(json!({"u": {"S": author}, "d": {"S": "c"}, "k": {"S": "m"}, "b": {"S": text},
            "i": {"S": text}, "a": {"S": whom.to_string()}}))
    }

    /// Another text for a message, by its author.
    fn edited(&mut self, message: u64, text: &str) -> u64 {
        let mut item =
            self.run.inserted.iter().find(|item| item["sk"]["S"] == format!("{message:012}")).cloned();
        let item = item.as_mut().unwrap();
        item["b"] = json!({ "S": text });
        self.run.rewritten.push(item.clone());
        let reference = json!({"i": item["i"]["S"], "s": message, "u": item["u"]["S"]});
        self.event("ann", &json!({ "message_edited": reference }))
    }

    /// A frame of entry `seq` with what a message says.
    fn hears_text(&mut self, seq: u64, id: &str, text: &str) {
        let about = self.run.inserted.iter().any(|item| {
            item["sk"]["S"] == format!("{seq:012}") && item.get("k").is_none() && item["pk"]["S"] == "LOG#1"
        });
        let kind = if about { "message_updated" } else { "channel_message" };
        let data = json!({"channel_id": "room", "message_id": id, "content": text});
        let frame = json!({"type": kind, "seq": seq, "epoch": "e", "data": data});
        self.fact(self.seq * 10 + 5, Fact::Heard { socket: 0, frame });
    }

    fn asked(&mut self, ask: usize, user: &str, at: (u64, u64), deed: Deed, outcome: Outcome) {
        let (user, room) = (user.to_owned(), "room".to_owned());
        self.fact(at.0, Fact::Asked { ask, user, room, deed, dialect: "channels" });
        self.fact(at.1, Fact::Answered { ask, outcome });
    }

    /// A message that was asked for as it stands in the log.
    fn said(&mut self, author: &str, text: &str, only: &[&str]) -> u64 {
        let seq = self.written(author, text, &json!({ "o": only }));
        let only: Vec<String> = only.iter().map(|&user| user.to_owned()).collect();
        let deed = Deed::Say { text: text.to_owned(), only, except: Vec::new() };
        let done = Outcome::Done { message: Some(text.to_owned()), read: None };
        self.asked(self.seq as usize, author, (seq * 10 - 1, seq * 10 + 1), deed, done);
        seq
    }

    /// Bob's device, subscribed after an entry.
    fn listens(&mut self, user: &str, seq: u64) {
        let at = self.seq * 10 + 2;
        self.fact(at, Fact::Opening { socket: 0, user: user.to_owned(), device: 0, dialect: "channels" });
        self.fact(at, Fact::Subscribing { socket: 0, room: "room".to_owned(), after: None, epoch: None });
        self.fact(
            at,
            Fact::Subscribed {
                socket: 0,
                room: "room".to_owned(),
                seq,
                recovered: false,
                epoch: "e".to_owned(),
            },
        );
    }

    fn hears(&mut self, seq: u64) {
        let place = (json!("LOG#1"), json!(format!("{seq:012}")));
        let mut inserted = self.run.inserted.iter();
        let entry =
            inserted.find(|item| (&item["pk"]["S"], &item["sk"]["S"]) == (&place.0, &place.1)).unwrap();
        let kind = match entry.get("k") {
            Some(_) => "channel_message",
            None => "user_banned",
        };
        let frame =
            json!({"type": kind, "seq": seq, "epoch": "e", "data": {"channel_id": "room", "user_id": "bob"}});
        self.fact(self.seq * 10 + 5, Fact::Heard { socket: 0, frame });
    }

    /// The rules that do not hold.
    fn broken(&self) -> Vec<&'static str> {
        checker::check(&self.run).into_iter().map(|one| one.rule).collect()
    }
}

#[test]
fn a_notice_is_told_once_and_for_a_reason() {
    let (banned, told) = (
        json!({"banned": {"user": "bob", "motive": ""}}),
        json!({"banned": {"conversation": "room", "motive": ""}}),
    );
    let mut story = Story::of("open");
    story.event("ann", &banned);
    assert_eq!(story.broken(), [""; 0]);
    story.notice("user:bob", &told);
    assert_eq!(story.broken(), ["once"], "told twice");
    let mut nobody = Story::of("private");
    nobody.notice("user:bob", &told);
    assert_eq!(nobody.broken(), ["once"], "told for no reason");
    // What is in the log of room 1 is an entry of it; its notice is not told.
    let mut untold = Story::of("private");
    untold.entry(json!({"u": {"S": "ann"}, "d": {"S": "c"}, "x": {"S": banned.to_string()}}));
    assert_eq!(untold.broken(), ["once"], "never told");
    let keys = vec!["LOG#1 000000000003".to_owned()];
    untold.fact(40, Fact::DeadLetter { keys, why: "age" });
    assert_eq!(untold.broken(), [""; 0], "its record was given up");
}

#[test]
fn a_notice_is_heard_by_whom_it_is_for_and_as_what_it_is() {
    let notice = json!({"banned": {"conversation": "room", "motive": ""}});
    let heard = |user: &str, room: &str| {
        let mut story = Story::of("private");
        let banned = json!({"banned": {"user": "bob", "motive": ""}}).to_string();
        story.entry(json!({"u": {"S": "ann"}, "d": {"S": "c"}, "x": {"S": banned}}));
        story.notice("user:bob", &notice);
        story.fact(1, Fact::Opening { socket: 0, user: user.to_owned(), device: 0, dialect: "channels" });
        let (log, epoch) = (format!("user:{user}"), "n".to_owned());
        story.fact(1, Fact::Subscribing { socket: 0, room: log.clone(), after: None, epoch: None });
        story.fact(1, Fact::Subscribed { socket: 0, room: log, seq: 0, recovered: false, epoch });
        let frame = json!({"type": "user_banned", "seq": 1, "epoch": "n", "data": {"channel_id": room}});
        story.fact(50, Fact::Heard { socket: 0, frame });
        story.broken()
    };
    assert_eq!(heard("bob", "room"), [""; 0]);
    assert_eq!(heard("bob", "another"), ["forbidden"], "of another room");
    assert_eq!(heard("cat", "room"), ["forbidden"], "it is not cat's");
}

#[test]
fn a_history_without_a_fault_has_none() {
    let mut story = Story::of("private");
    story.listens("bob", 2);
    let first = story.said("ann", "w1", &[]);
    story.said("ann", "w2", &["cat"]);
    let last = story.said("ann", "w3", &["bob"]);
    story.hears(first);
    story.hears(last);
    // Again, as it comes from a batch that was delivered twice.
    story.hears(first);
    story.hears(last);
    assert_eq!(checker::check(&story.run), []);
}

#[test]
fn a_write_that_is_lost_or_doubled_or_was_refused_is_seen() {
    let say = |text: &str| Deed::Say { text: text.to_owned(), only: Vec::new(), except: Vec::new() };
    let done = Outcome::Done { message: None, read: None };
    let mut lost = Story::of("private");
    lost.asked(1, "ann", (21, 29), say("w1"), done);
    assert_eq!(lost.broken(), ["once"]);
    let mut doubled = Story::of("private");
    doubled.written("ann", "w1", &json!({}));
    doubled.written("ann", "w1", &json!({}));
    doubled.asked(1, "ann", (21, 99), say("w1"), Outcome::Unknown);
    assert_eq!(doubled.broken(), ["once"]);
    let mut refused = Story::of("private");
    refused.written("ann", "w1", &json!({}));
    refused.asked(1, "ann", (21, 99), say("w1"), Outcome::Refused(403));
    assert_eq!(refused.broken(), ["once"]);
}

#[test]
fn a_gap_in_the_numbers_is_seen() {
    let mut story = Story::of("private");
    story.seq += 1;
    story.said("ann", "w1", &[]);
    assert_eq!(story.broken(), ["order"]);
    let mut twice = Story::of("private");
    twice.run.inserted.push(twice.run.inserted[1].clone());
    assert_eq!(twice.broken(), ["once"]);
}

#[test]
fn what_was_not_permitted_is_seen() {
    let mut stranger = Story::of("private");
    stranger.said("eve", "w1", &[]);
    assert_eq!(stranger.broken(), ["permitted"]);
    let mut banned = Story::of("open");
    banned.event("ann", &json!({"banned": {"user": "bob", "motive": ""}}));
    banned.said("bob", "w1", &[]);
    assert_eq!(banned.broken(), ["permitted"]);
    let mut upwards = Story::of("private");
    upwards.event("bob", &json!({"banned": {"user": "ann", "motive": ""}}));
    assert_eq!(upwards.broken(), ["permitted"]);
}

#[test]
fn a_frame_for_somebody_else_is_seen() {
    let mut story = Story::of("private");
    story.listens("bob", 2);
    let whispered = story.said("ann", "w1", &["cat"]);
    story.hears(whispered);
    assert_eq!(story.broken(), ["forbidden"]);
}

#[test]
fn a_frame_after_the_ban_is_seen() {
    let mut story = Story::of("private");
    story.listens("bob", 2);
    let ban = story.event("ann", &json!({"banned": {"user": "bob", "motive": ""}}));
    story.hears(ban);
    let room = "room".to_owned();
    story.fact(36, Fact::Barred { socket: 0, room, code: "forbidden".to_owned() });
    assert_eq!(checker::check(&story.run), []);
    let after = story.said("ann", "w1", &[]);
    story.hears(after);
    assert_eq!(story.broken(), ["forbidden"]);
}

#[test]
fn an_edit_of_a_message_whose_own_copy_is_deleted_is_seen() {
    let mut story = Story::of("private");
    let message = story.said("ann", "w1", &[]);
    story.event("bob", &json!({"copies_deleted": {"user": "bob", "messages": message.to_string()}}));
    story.listens("bob", 4);
    let edit = story.edited(message, "e1");
    story.hears_text(edit, "w1", "e1");
    assert_eq!(story.broken(), ["forbidden"]);
}

#[test]
fn what_was_never_said_or_is_said_no_more_is_seen() {
    let shown = |text: &str| {
        let mut story = Story::of("private");
        story.listens("bob", 2);
        let message = story.said("ann", "w1", &[]);
        story.hears(message);
        let edit = story.edited(message, "e1");
        story.hears_text(edit, "w1", text);
        story.broken()
    };
    assert_eq!(shown("e1"), [""; 0]);
    assert_eq!(shown("w1"), ["order"], "what the edit replaced");
    assert_eq!(shown("e2"), ["forbidden"], "what nobody said");
    let mut unchanged = Story::of("private");
    unchanged.said("ann", "w1", &[]);
    unchanged.event("ann", &json!({"message_edited": {"i": "w1", "s": 3, "u": "ann"}}));
    assert_eq!(unchanged.broken(), ["once"], "an edit that changed nothing");
    let listed = |text: &str| {
        let mut story = Story::of("private");
        let message = story.said("ann", "w1", &[]);
        story.edited(message, "e1");
        let read = Some(vec![("w1".to_owned(), text.to_owned())]);
        story.asked(9, "bob", (70, 71), Deed::Read, Outcome::Done { message: None, read });
        story.broken()
    };
    assert_eq!(listed("e1"), [""; 0]);
    assert_eq!(listed("w1"), ["lists"], "what was replaced before");
}

#[test]
fn what_was_edited_behind_the_door_is_seen() {
    let mut story = Story::of("private");
    let message = story.said("ann", "w1", &[]);
    story.listens("bob", 3);
    let ban = story.event("ann", &json!({"banned": {"user": "bob", "motive": ""}}));
    story.hears(ban);
    story.fact(46, Fact::Barred { socket: 0, room: "room".to_owned(), code: "forbidden".to_owned() });
    story.edited(message, "e1");
    assert_eq!(story.broken(), [""; 0]);
    // The message itself was his to see, and is told once more: with what it says now.
    story.hears_text(message, "w1", "e1");
    assert_eq!(story.broken(), ["forbidden"]);
    let mut back = Story::of("private");
    let message = back.said("ann", "w1", &[]);
    back.event("ann", &json!({"members_removed": {"members": ["bob"], "how": "removed"}}));
    back.edited(message, "e1");
    back.event("ann", &json!({"members_added": {"members": ["bob"], "how": "added"}}));
    let read = Some(vec![("w1".to_owned(), "e1".to_owned())]);
    back.asked(9, "bob", (70, 71), Deed::Read, Outcome::Done { message: None, read });
    assert_eq!(back.broken(), [""; 0], "who is back sees what it says now");
}

#[test]
fn a_socket_that_ends_with_what_was_before_an_edit_is_seen() {
    let shown = |texts: &[&str]| {
        let mut story = Story::of("private");
        let opening = Fact::Opening { socket: 0, user: "bob".to_owned(), device: 0, dialect: "events" };
        story.fact(22, opening);
        story.fact(22, Fact::Listening { socket: 0 });
        let message = story.said("ann", "w1", &[]);
        story.edited(message, "e1");
        for (n, text) in texts.iter().enumerate() {
            let kind = if n == 0 { "TextMessagesCreated" } else { "TextMessagesUpdated" };
            let messages = json!([{"messageId": (1 << 27) + message, "text": text}]);
            let frame = json!({"type": kind, "data": {"messages": messages}});
            story.fact(50, Fact::Heard { socket: 0, frame });
        }
        story.fact(60, Fact::Closed { socket: 0, by: "last" });
        story.broken()
    };
    assert_eq!(shown(&["w1", "e1"]), [""; 0]);
    assert_eq!(shown(&["e1"]), [""; 0], "as it is by now");
    assert_eq!(shown(&["w1"]), ["nothing lost"], "never told");
    assert_eq!(shown(&["w1", "e1", "w1"]), ["nothing lost"], "told the wrong way round");
}

#[test]
fn a_frame_that_was_skipped_or_never_came_is_seen() {
    let mut skipped = Story::of("private");
    skipped.listens("bob", 2);
    skipped.said("ann", "w1", &[]);
    let second = skipped.said("ann", "w2", &[]);
    skipped.hears(second);
    assert_eq!(skipped.broken(), ["no gap"]);
    let mut missing = Story::of("private");
    missing.listens("bob", 2);
    let first = missing.said("ann", "w1", &[]);
    missing.said("ann", "w2", &[]);
    missing.hears(first);
    assert_eq!(missing.broken(), ["nothing lost"]);
}

#[test]
fn a_resume_that_leaves_something_out_is_seen() {
    let mut story = Story::of("private");
    story.listens("bob", 2);
    let first = story.said("ann", "w1", &[]);
    let room = || "room".to_owned();
    story.fact(50, Fact::Opening { socket: 1, user: "bob".to_owned(), device: 0, dialect: "channels" });
    story
        .fact(50, Fact::Subscribing { socket: 1, room: room(), after: Some(2), epoch: Some("e".to_owned()) });
    story.fact(
        51,
        Fact::Subscribed { socket: 1, room: room(), seq: first, recovered: true, epoch: "e".to_owned() },
    );
    assert_eq!(story.broken(), ["no gap"]);
}

#[test]
fn who_may_not_read_is_not_subscribed_and_gets_no_list() {
    let mut story = Story::of("private");
    story.listens("eve", 2);
    assert!(story.broken().contains(&"forbidden"));
    let mut list = Story::of("private");
    let read = Outcome::Done { message: None, read: Some(Vec::new()) };
    list.asked(1, "eve", (50, 51), Deed::Read, read);
    assert_eq!(list.broken(), ["lists"]);
    let mut refused = Story::of("private");
    refused.asked(1, "bob", (50, 51), Deed::Read, Outcome::Refused(403));
    assert_eq!(refused.broken(), ["lists"]);
}

#[test]
fn a_list_that_shows_too_little_is_seen() {
    let mut story = Story::of("private");
    story.said("ann", "w1", &[]);
    story.said("ann", "w2", &["cat"]);
    story.fact(60, Fact::Cleared);
    let read = |ids: &[&str]| {
        // A message is named by what it says.
        let read = Some(ids.iter().map(|&id| (id.to_owned(), id.to_owned())).collect());
        Outcome::Done { message: None, read }
    };
    story.asked(9, "bob", (70, 71), Deed::Read, read(&["w1"]));
    assert_eq!(checker::check(&story.run), []);
    story.asked(10, "bob", (72, 73), Deed::Read, read(&[]));
    assert_eq!(story.broken(), ["lists"]);
}

#[test]
fn messages_out_of_order_are_seen_where_frames_have_no_position() {
    let mut story = Story::of("private");
    let opening = Fact::Opening { socket: 0, user: "bob".to_owned(), device: 0, dialect: "events" };
    story.fact(22, opening);
    story.fact(23, Fact::Listening { socket: 0 });
    let (first, second) = (story.said("ann", "w1", &[]), story.said("ann", "w2", &[]));
    for seq in [second, first] {
        let frame =
            json!({"type": "TextMessagesCreated", "data": {"messages": [{"messageId": (1 << 27) + seq}]}});
        story.fact(60, Fact::Heard { socket: 0, frame });
    }
    assert_eq!(story.broken(), ["order"]);
}

#[test]
fn a_connection_that_is_gone_and_still_known_is_seen() {
    let mut story = Story::of("private");
    story.run.gone.insert("c0001".to_owned());
    assert_eq!(story.broken(), Vec::<&str>::new());
    story.run.items.push(json!({"pk": {"S": "USER#bob"}, "sk": {"S": "CONN#c0001"}}));
    assert_eq!(story.broken(), ["it ends"]);
}

#[test]
fn a_chunk_that_was_given_up_excuses_its_shard_until_it_resumes() {
    let chunk = |from: &str| {
        json!({"number": 1, "carried": [{"entries": [3, 3]}],
            "shard": {"list": "subscribers", "at": 1, "stretch": {"from": from}}})
    };
    let told_without = |from: &str| {
        let mut story = Story::of("private");
        story.listens("bob", 2);
        story.said("ann", "w1", &[]);
        story.fact(35, Fact::GivenUp { chunk: chunk(from) });
        let second = story.said("ann", "w2", &[]);
        story.hears(second);
        story
    };
    assert_eq!(checker::check(&told_without("c0000").run), []);
    assert_eq!(told_without("c0001").broken(), ["no gap"], "it was another shard's");
    let mut resumed = told_without("c0000");
    let room = || "room".to_owned();
    resumed.fact(50, Fact::Opening { socket: 1, user: "bob".to_owned(), device: 0, dialect: "channels" });
    resumed
        .fact(50, Fact::Subscribing { socket: 1, room: room(), after: Some(2), epoch: Some("e".to_owned()) });
    resumed.fact(
        51,
        Fact::Subscribed { socket: 1, room: room(), seq: 4, recovered: true, epoch: "e".to_owned() },
    );
    assert_eq!(resumed.broken(), ["no gap"], "who resumes is told all");
}

#[test]
fn a_dead_letter_excuses_who_was_there_until_they_resume() {
    let told_without = |lost: u64| {
        let mut story = Story::of("private");
        story.listens("bob", 2);
        story.said("ann", "w1", &[]);
        let keys = vec![format!("LOG#1 {lost:012}"), "READ#1 bob".to_owned()];
        story.fact(35, Fact::DeadLetter { keys, why: "attempts" });
        let second = story.said("ann", "w2", &[]);
        story.hears(second);
        story
    };
    assert_eq!(checker::check(&told_without(3).run), []);
    assert_eq!(told_without(2).broken(), ["no gap"], "it was another entry");
    let mut late = Story::of("private");
    late.said("ann", "w1", &[]);
    late.fact(25, Fact::DeadLetter { keys: vec!["LOG#1 000000000003".to_owned()], why: "age" });
    late.listens("bob", 2);
    let second = late.said("ann", "w2", &[]);
    late.hears(second);
    assert_eq!(late.broken(), ["no gap"], "who comes afterwards is told all");
    let mut resumed = told_without(3);
    let room = || "room".to_owned();
    let epoch = || "e".to_owned();
    resumed.fact(50, Fact::Opening { socket: 1, user: "bob".to_owned(), device: 0, dialect: "channels" });
    resumed.fact(50, Fact::Subscribing { socket: 1, room: room(), after: Some(2), epoch: Some(epoch()) });
    let subscribed = Fact::Subscribed { socket: 1, room: room(), seq: 4, recovered: true, epoch: epoch() };
    resumed.fact(51, subscribed);
    assert_eq!(resumed.broken(), ["no gap"], "who resumes is told all");
}

#[test]
fn who_resumes_another_life_is_not_told_that_nothing_is_missing() {
    let mut story = Story::of("private");
    story.listens("bob", 2);
    let (room, epoch) = ("room".to_owned(), Some("before".to_owned()));
    story.fact(50, Fact::Opening { socket: 1, user: "bob".to_owned(), device: 0, dialect: "channels" });
    story.fact(50, Fact::Subscribing { socket: 1, room: room.clone(), after: Some(2), epoch });
    story.fact(51, Fact::Subscribed { socket: 1, room, seq: 2, recovered: true, epoch: "e".to_owned() });
    assert_eq!(story.broken(), ["no gap"]);
}

#[test]
fn what_is_left_of_a_conversation_that_ended_is_seen() {
    let mut story = Story::of("private");
    story.event("ann", &json!("conversation_deleted"));
    assert_eq!(story.broken(), Vec::<&str>::new());
    let member = json!({"pk": {"S": "CONV#room"}, "sk": {"S": "MEMBER#bob"}, "n": {"N": "1"}});
    story.run.items.push(member);
    assert_eq!(story.broken(), ["it ends"]);
}

#[test]
fn what_ended_and_is_made_again_is_another_conversation() {
    let mut story = Story::of("private");
    story.event("ann", &json!("conversation_deleted"));
    let room = "room".to_owned();
    story.fact(100, Fact::Room { room, number: 2, since: 99, visibility: "private".to_owned() });
    let created = json!({"conversation_created": {"title": "room", "members": ["eve"]}});
    let first = json!({"pk": {"S": "LOG#2"}, "sk": {"S": "000000000001"}, "u": {"S": "eve"}, "d": {"S": "c"},
        "t": {"N": (BEGINNING + 99).to_string()}, "r": {"N": "1"}, "x": {"S": created.to_string()}});
    story.run.commits.insert((2, 1), 99);
    story.run.items.push(first.clone());
    story.run.inserted.push(first);
    let read = || Outcome::Done { message: None, read: Some(Vec::new()) };
    story.asked(1, "eve", (110, 111), Deed::Read, read());
    assert_eq!(checker::check(&story.run), []);
    story.asked(2, "bob", (112, 113), Deed::Read, read());
    assert_eq!(story.broken(), ["lists"], "he was a member of the one before");
}
