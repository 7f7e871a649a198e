//! A user who does things: writes, edits, takes back, joins and leaves, and moderates, now in this dialect and now
//! in that one; and who asks again where no answer came.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
};

use serde_json::{Value, json};

use super::{
    device::Surroundings,
    dice::Dice,
    door::{Answer, Knock, Who, listed, outcome},
    history::{Deed, Fact, Outcome},
    time,
};

/// Messages that are known to be written: room, id, author.
pub type Known = Arc<Mutex<Vec<(String, String, String)>>>;

/// A user.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What there is around.
    pub world: Surroundings,
    /// Who it is.
    pub user: String,
    /// Everybody.
    pub users: Vec<String>,
    /// The rooms' numbers, as a client of the events dialect knows them.
    pub numbers: BTreeMap<String, u64>,
    /// Messages that are known to everybody.
    pub known: Known,
    /// Luck.
    pub dice: Dice,
    /// Conversations may end here.
    pub mortal: bool,
    /// Counts requests.
    pub asks: Arc<std::sync::atomic::AtomicUsize>,
}

/// How often a request is sent again that may have been done, where its id makes that safe.
const TRIES: usize = 4;

impl Actor {
    /// Does so many things, with pauses.
    pub async fn act(self, deeds: u64) {
        for _ in 0..deeds {
            // Some worlds have hours, in which connections grow old.
            let most = if self.world.weather.is_leisurely() { 1_800_000 } else { 250 };
            time::pass(self.dice.below(most)).await;
            time::pass(self.world.weather.until_morning()).await;
            let Some(room) = self.dice.pick(&self.world.rooms).cloned() else { return };
            self.do_something(&room).await;
        }
    }

    async fn do_something(&self, room: &str) {
        match self.dice.below(100) {
            0..46 => self.say(room).await,
            46..52 => self.edit(room).await,
            52..57 => self.take_back(room).await,
            57..61 => self.delete_copy(room).await,
            61..63 => self.react(room).await,
            63..66 => self.read(room).await,
            66..71 => self.change(room, "kick", "channels-kick-user", vec![], true).await,
            71..75 => self.change(room, "ban", "channels-ban-user", vec![], true).await,
            75..79 => self.lift_ban(room).await,
            79..82 => self.leave(room).await,
            82..89 => self.come(room).await,
            89..93 => self.set_role(room).await,
            93..95 => self.settings(room).await,
            95..97 => self.mark(room).await,
            97 | 98 if !self.mortal => {
                self.change_of(room, "typing", "channels-send-typing", json!({"is_typing": true})).await;
            }
            _ => self.end(room).await,
        }
    }

    fn ask(&self, room: &str, deed: Deed, dialect: &'static str) -> usize {
        let ask = self.asks.fetch_add(1, Relaxed);
        let (user, room) = (self.user.clone(), room.to_owned());
        self.world.history.note(Fact::Asked { ask, user, room, deed, dialect });
        ask
    }

    fn answered(&self, ask: usize, outcome: Outcome) {
        self.world.history.note(Fact::Answered { ask, outcome });
    }

    async fn knock(&self, knock: Knock<'_>) -> Answer {
        self.world.door.knock(Who::User(&self.user), knock).await
    }

    /// Another user, or now and then this one.
    fn somebody(&self) -> String {
        self.dice.pick(&self.users).cloned().unwrap_or_default()
    }

    fn message(&self, room: &str, of: Option<&str>) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let here =
            known.iter().filter(|(is_in, _, author)| is_in == room && of.is_none_or(|user| user == author));
        let here: Vec<&String> = here.map(|(_, id, _)| id).collect();
        self.dice.pick(&here).map(|id| (*id).clone())
    }

    /// Sends a request until it is known what became of it, if its id makes that safe.
    async fn until_known(&self, who: Who<'_>, knock: Knock<'_>, safe: bool, at: Option<&str>) -> Outcome {
        let mut unknown = false;
        for attempt in 0..if safe { TRIES } else { 1 } {
            if attempt > 0 {
                time::pass(self.dice.between(50, 3_000)).await;
            }
            match outcome(&self.world.door.knock(who.clone(), knock.clone()).await, at) {
                Outcome::Unknown => unknown = true,
                // The first try may have been done all the same.
                Outcome::Refused(_) if unknown => return Outcome::Unknown,
                known => return known,
            }
        }
        Outcome::Unknown
    }

    async fn say(&self, room: &str) {
        let text = format!("w{}", self.asks.load(Relaxed));
        let chosen = format!("5a928b10-4258-11ea-9c08-{:012}", self.asks.load(Relaxed));
        let some = |chance| -> Vec<String> {
            let mut some: Vec<String> =
                self.users.iter().filter(|_| self.dice.permille(chance)).cloned().collect();
            some.dedup();
            some
        };
        let (mut only, mut except) = (Vec::new(), Vec::new());
        let kind = self.dice.below(if self.mortal { 9 } else { 10 });
        let (user, number) = (&self.user, self.numbers.get(room).copied().unwrap_or_default());
        let number = number.to_string();
        let private = self.dice.permille(350);
        if private && matches!(kind, 3..6) {
            only = some(400);
        }
        if private && matches!(kind, 4..6) {
            except = some(300);
        }
        let (dialect, who, function, path, body, key, at) = match kind {
            0..3 => {
                let key = self.dice.permille(700).then_some(chosen.as_str());
                let (path, body) = (vec![("channel_id", room)], json!({ "content": text }));
                ("channels", Who::User(user), "channels-send-message", path, body, key, "/message_id")
            }
            3 | 6 => {
                let mut body = json!({"conversationId": room, "body": text, "recipients": only});
                let id = self.dice.permille(600);
                if let Some(body) = body.as_object_mut().filter(|_| id) {
                    body.insert("id".to_owned(), json!(chosen));
                }
                let key = id.then_some(chosen.as_str());
                ("channelize", Who::User(user), "channelize-send-message", vec![], body, key, "/id")
            }
            4 | 5 => {
                let body = json!([{"user": user, "channel": room, "message": {"text": text},
                    "uuid": chosen, "pm_users": only, "exclude_users": except}]);
                let key = Some(chosen.as_str());
                ("channelstream", Who::Signed, "channelstream-send-messages", vec![], body, key, "/0/uuid")
            }
            7 | 8 => {
                let (path, body) = (vec![("roomId", number.as_str())], json!({ "content": text }));
                ("events", Who::User(user), "events-post-message", path, body, None, "/none")
            }
            _ => {
                let data = json!({"conversation_id": room, "user_id": user, "message": text});
                let body = json!({"class": "chat", "subclass": "message", "cmd": "create", "data": data});
                ("nkchat", Who::User(user), "nkchat-rpc", vec![], body, None, "/data/message_id")
            }
        };
        let ask = self.ask(room, Deed::Say { text, only, except }, dialect);
        // Only the channels' REST knows the header; the others have the id in the body.
        let header = key.filter(|_| dialect == "channels");
        let knock = Knock { function, path, query: Vec::new(), body, key: header };
        let outcome = self.until_known(who, knock, key.is_some(), Some(at)).await;
        if let Outcome::Done { message: Some(id), .. } = &outcome {
            let told = (room.to_owned(), id.clone(), user.clone());
            self.known.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
        self.answered(ask, outcome);
    }

    async fn edit(&self, room: &str) {
        let Some(id) = self.message(room, Some(&self.user)) else { return };
        let body = json!({ "content": format!("e{}", self.asks.load(Relaxed)) });
        let path = vec![("channel_id", room), ("message_id", id.as_str())];
        self.done(room, "edit", Knock::new("channels-edit-message", path, body)).await;
    }

    async fn take_back(&self, room: &str) {
        let own = self.dice.permille(500).then_some(self.user.as_str());
        let Some(id) = self.message(room, own) else { return };
        let path = vec![("channel_id", room), ("message_id", id.as_str())];
        self.done(room, "take back", Knock::new("channels-delete-message", path, Value::Null)).await;
    }

    async fn delete_copy(&self, room: &str) {
        let Some(id) = self.message(room, None) else { return };
        let body = json!({ "messageIds": [id] });
        self.done(room, "delete copy", Knock::new("channelize-delete-messages", vec![], body)).await;
    }

    async fn react(&self, room: &str) {
        let Some(id) = self.message(room, None) else { return };
        let path = vec![("message_id", id.as_str())];
        let body = json!({"type": "like"});
        self.done(room, "react", Knock::new("channelize-add-reaction", path, body)).await;
    }

    /// Reads the messages, and notes which.
    pub async fn read(&self, room: &str) {
        let mut knock = Knock::new("channels-list-messages", vec![("channel_id", room)], Value::Null);
        knock.query.push(("limit", "100"));
        let ask = self.ask(room, Deed::Read, "channels");
        let answer = self.knock(knock).await;
        let outcome = match outcome(&answer, None) {
            Outcome::Done { .. } => {
                let read = answer.map(|(_, body)| listed(&body));
                Outcome::Done { message: None, read }
            }
            other => other,
        };
        self.answered(ask, outcome);
    }

    /// Writes as the application's server, which may.
    pub async fn last_word(&self, room: &str) {
        let ask = self.asks.load(Relaxed);
        let (text, only, except) = (format!("w{ask}"), Vec::new(), Vec::new());
        let body = json!([{"user": self.user, "channel": room, "message": {"text": text},
            "uuid": format!("5a928b10-4258-11ea-9c08-{ask:012}")}]);
        let ask = self.ask(room, Deed::Say { text, only, except }, "channelstream");
        let knock = Knock::new("channelstream-send-messages", vec![], body);
        let outcome = outcome(&self.world.door.knock(Who::Signed, knock).await, Some("/0/uuid"));
        self.answered(ask, outcome);
    }

    async fn done(&self, room: &str, what: &'static str, knock: Knock<'_>) {
        let ask = self.ask(room, Deed::Change(what), "channels");
        let outcome = outcome(&self.knock(knock).await, None);
        self.answered(ask, outcome);
    }

    async fn change_of(&self, room: &str, what: &'static str, function: &'static str, body: Value) {
        self.done(room, what, Knock::new(function, vec![("channel_id", room)], body)).await;
    }

    /// Does something to another user.
    async fn change(
        &self,
        room: &str,
        what: &'static str,
        function: &'static str,
        path: Vec<(&'static str, &str)>,
        motive: bool,
    ) {
        let mut path = path;
        path.push(("channel_id", room));
        let mut body = json!({ "user_id": self.somebody() });
        if let Some(body) = body.as_object_mut().filter(|_| motive) {
            body.insert("motive".to_owned(), json!("so"));
        }
        self.done(room, what, Knock::new(function, path, body)).await;
    }

    async fn lift_ban(&self, room: &str) {
        let whose = self.somebody();
        let path = vec![("channel_id", room), ("user_id", whose.as_str())];
        let knock = Knock::new("channels-unban-user", path, json!({"motive": "so"}));
        self.done(room, "lift ban", knock).await;
    }

    async fn leave(&self, room: &str) {
        let whose = if self.dice.permille(700) { self.user.clone() } else { self.somebody() };
        let path = vec![("channel_id", room), ("user_id", whose.as_str())];
        self.done(room, "leave", Knock::new("channels-remove-member", path, Value::Null)).await;
    }

    async fn come(&self, room: &str) {
        let body = if self.dice.permille(500) { json!({}) } else { json!({ "user_id": self.somebody() }) };
        self.change_of(room, "come", "channels-add-member", body).await;
    }

    async fn set_role(&self, room: &str) {
        let whose = self.somebody();
        let roles = ["member", "moderator", "admin"];
        let role = self.dice.pick(&roles).copied().unwrap_or("member");
        let path = vec![("channel_id", room), ("user_id", whose.as_str())];
        let knock = Knock::new("channels-update-member", path, json!({ "role": role }));
        self.done(room, "set role", knock).await;
    }

    async fn settings(&self, room: &str) {
        let body = if self.dice.permille(600) {
            let kinds = ["private", "public", "open"];
            json!({"visibility": self.dice.pick(&kinds)})
        } else {
            json!({"description": format!("d{}", self.asks.load(Relaxed))})
        };
        self.change_of(room, "settings", "channels-update-channel", body).await;
    }

    async fn mark(&self, room: &str) {
        let path = vec![("conversation_id", room)];
        self.done(room, "mark", Knock::new("channelize-mark-as-read", path, json!({}))).await;
    }

    async fn end(&self, room: &str) {
        if self.mortal {
            self.change_of(room, "end", "channels-delete-channel", Value::Null).await;
        }
    }
}
