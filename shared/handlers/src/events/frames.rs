//! What the users who listen on this dialect's socket are told of a batch of changes.
//!
//! A frame that says the same to several users is encoded once. Messages that were written one after the other go
//! into one frame. What happens to a room is told by one `RoomUpdated` at the end of the batch: it is complete, so
//! the last one says it all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use dialects::events::{
    event::Event as Wire,
    message::{ReadTimestamp, TextMessage, text_message},
    room::{self, Facts},
};
use domain::{
    Dialect, Entry, Error, Event, Member, Message, Number, Place, Role, Seq, User, UserId,
    conversation::Openness, message::Reference, visibility,
};
use store::{change::Change, log::Span, read_mark::ReadMark};

mod standing;

use super::show;
use crate::{context::Context, delivery::stage::Stage};

/// Messages that one read mark, or one deletion of own copies, is told of: the newest.
const MOST_TOLD: usize = 100;
/// Bytes of the messages of one frame: API Gateway refuses a frame of more than 128 KB, and a refused frame
/// costs the client its socket.
const FRAME_BYTES: usize = 110_000;

/// The frames that each user is due, in order.
pub type ByUser = BTreeMap<UserId, Vec<Bytes>>;

/// What the users who listen are told of these changes of one conversation.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn frames(cx: &Context, stage: &Stage, changes: &[&Change]) -> Result<ByUser, Error> {
    let hearers: Vec<&Member> = stage.hearers(Dialect::Events).collect();
    let marks = match &stage.shard {
        None => cx.store.read_marks(stage.number).await?,
        // Who has read what is told to no large audience: only what each has not read is to be known.
        Some(_) => cx.store.read_marks_of(stage.number, hearers.iter().map(|one| &one.user)).await?,
    };
    let marks = marks.into_iter().collect();
    let users = numbers(cx, stage, changes, &marks).await?;
    let entries = changes.iter().filter_map(|change| match change {
        Change::Entry(entry) => Some(entry.seq()),
        Change::Read { .. } | Change::Signal { .. } | Change::Opened(_) | Change::User(_) => None,
    });
    let mut teller = Teller {
        cx,
        stage,
        hearers,
        marks,
        users,
        frames: BTreeMap::new(),
        created: Vec::new(),
        rooms: BTreeSet::new(),
        recent: None,
        last: entries.max().unwrap_or_default(),
        tail: Seq::default(),
        since: BTreeMap::new(),
        openness: None,
    };
    for change in changes {
        match change {
            Change::Entry(entry) => teller.entry(entry).await?,
            Change::Read { user, mark, before, .. } => teller.read(user, *mark, *before).await?,
            // The dialect has no word for typing.
            Change::Signal { .. } | Change::Opened(_) | Change::User(_) => {}
        }
    }
    for user in std::mem::take(&mut teller.rooms) {
        teller.room(&user, false).await?;
    }
    Ok(teller.encoded())
}

/// The users whose numbers or names the frames of these changes need.
async fn numbers(
    cx: &Context,
    stage: &Stage,
    changes: &[&Change],
    marks: &BTreeMap<UserId, ReadMark>,
) -> Result<BTreeMap<UserId, User>, Error> {
    let mut ids: BTreeSet<UserId> = marks.keys().cloned().collect();
    for change in changes {
        match change {
            Change::Entry(entry) => {
                ids.extend(entry.subject().map(|subject| subject.author.clone()));
            }
            Change::Read { user, .. } => {
                ids.insert(user.clone());
            }
            Change::Signal { .. } | Change::Opened(_) | Change::User(_) => {}
        }
    }
    if let Some((one, other)) = stage.conversation.as_ref().and_then(|one| one.peers.as_ref()) {
        ids.extend([one.clone(), other.clone()]);
    }
    Ok(cx.store.users(ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect())
}

struct Teller<'a> {
    cx: &'a Context,
    stage: &'a Stage,
    hearers: Vec<&'a Member>,
    marks: BTreeMap<UserId, ReadMark>,
    users: BTreeMap<UserId, User>,
    frames: BTreeMap<UserId, Vec<Frame>>,
    /// The messages that were written.
    created: Vec<TextMessage>,
    /// Who is due a `RoomUpdated`.
    rooms: BTreeSet<UserId>,
    /// The log, at least from where the hearer who is furthest behind has read to.
    recent: Option<Vec<Arc<Entry>>>,
    /// The last entry of the batch; what `hearers` are was read after it was written.
    last: Seq,
    /// The last entry that was there when `recent` was read.
    tail: Seq,
    /// The hearers, and to whom the room was open, as they were after that, if there was more than the batch.
    since: BTreeMap<UserId, Member>,
    openness: Option<Openness>,
}

/// What a user is due.
enum Frame {
    /// Messages that were written, by their places in the list of them.
    Created(Vec<usize>),
    /// Anything else, encoded.
    Other(Bytes),
}

impl Teller<'_> {
    fn tell(&mut self, user: &UserId, frame: &Bytes) {
        self.frames.entry(user.clone()).or_default().push(Frame::Other(frame.clone()));
    }

    /// The frames of each user. Who is due the same messages gets the same bytes.
    fn encoded(self) -> ByUser {
        let mut variants: BTreeMap<Vec<usize>, Vec<Bytes>> = BTreeMap::new();
        let created = &self.created;
        let mut encode = |frame: Frame| match frame {
            Frame::Other(bytes) => vec![bytes],
            Frame::Created(places) => {
                let same = variants.entry(places).or_insert_with_key(|places| {
                    let messages = places.iter().filter_map(|place| created.get(*place)).collect();
                    packed(messages, |messages| Wire::TextMessagesCreated { messages })
                });
                same.clone()
            }
        };
        let frames = self.frames.into_iter();
        frames.map(|(user, frames)| (user, frames.into_iter().flat_map(&mut encode).collect())).collect()
    }

    /// Tells all who may see the entry the same, and says who they are.
    fn tell_all(&mut self, entry: &Entry, event: &Wire) -> Vec<UserId> {
        let frame = Bytes::from(event.encode());
        let who: Vec<UserId> = self.who_sees(entry);
        for user in &who {
            self.tell(user, &frame);
        }
        who
    }

    fn who_sees(&self, entry: &Entry) -> Vec<UserId> {
        let seeing = self.hearers.iter().filter(|member| self.hears(member, entry));
        seeing.map(|member| member.user.clone()).collect()
    }

    /// Whether the member may see the entry, live.
    fn hears(&self, member: &Member, entry: &Entry) -> bool {
        visibility::is_told(&member.user, entry) && self.stage.sees(member, entry)
    }

    async fn number(&mut self, user: &UserId) -> Result<Number, Error> {
        if let Some(known) = self.users.get(user) {
            return Ok(known.number);
        }
        let found = match self.cx.store.user(user).await? {
            Some(found) => Some(found),
            None => self.cx.store.user_now(user).await?,
        };
        let found = found.ok_or_else(|| Error::Internal(format!("user {user} has no number")))?;
        let number = found.number;
        self.users.insert(user.clone(), found);
        Ok(number)
    }

    /// The message as it is told, with who has read it.
    async fn told(&mut self, message: &Message) -> Result<Option<TextMessage>, Error> {
        let author = self.number(&message.author).await?;
        let nobody = BTreeMap::new();
        let marks = if self.stage.shard.is_some() { &nobody } else { &self.marks };
        let readers = show::readers(marks, message, None);
        let readers: Vec<_> = readers.into_iter().map(|(user, mark)| (user.clone(), *mark)).collect();
        let mut read = Vec::with_capacity(readers.len());
        for (user, mark) in readers {
            read.push(ReadTimestamp { user_id: self.number(&user).await?.0, read_utc: mark.at.millis() });
        }
        Ok(text_message(message, author, &read))
    }

    async fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        match &entry.event {
            Event::MessageCreated(message) => self.created(entry, message).await?,
            Event::MessageEdited(_) => {
                if let Some(origin) = self.stage.originals.origin(entry).cloned() {
                    self.updated(entry, &origin).await?;
                }
            }
            Event::MessageRecalled(reference) => self.recalled(entry, reference),
            Event::CopiesDeleted { user, messages } => {
                let spans: Vec<_> = messages.iter().collect();
                for (from, to) in spans {
                    self.copies_deleted(entry, user, from, to).await?;
                }
            }
            Event::ConversationCreated { members, .. } | Event::MembersAdded { members, .. } => {
                for user in members {
                    self.room(user, true).await?;
                }
            }
            Event::MembersRemoved { members, .. } => {
                for user in members {
                    self.room_deleted(user);
                }
            }
            Event::Banned { user, member: true, .. } => self.room_deleted(user),
            Event::ConversationUpdated(_) => self.rooms.extend(self.who_sees(entry)),
            Event::RoleChanged { user, .. } | Event::ConversationPinned { user, .. } => {
                self.rooms.insert(user.clone());
            }
            Event::ConversationDeleted => {
                for user in self.who_sees(entry) {
                    self.room_deleted(&user);
                }
            }
            // The dialect has no words for these.
            Event::ReactionAdded(_)
            | Event::ReactionRemoved(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Banned { member: false, .. }
            | Event::Unbanned { .. }
            | Event::Notice(_) => {}
        }
        Ok(())
    }

    /// `TextMessagesCreated`; for a comment also its parent, whose count has changed.
    async fn created(&mut self, entry: &Entry, message: &Message) -> Result<(), Error> {
        if let Some(told) = self.told(message).await? {
            let place = self.created.len();
            self.created.push(told);
            let who = self.who_sees(entry);
            for user in &who {
                let frames = self.frames.entry(user.clone()).or_default();
                match frames.last_mut() {
                    Some(Frame::Created(places)) => places.push(place),
                    _ => frames.push(Frame::Created(vec![place])),
                }
            }
            self.rooms.extend(who);
        }
        match &message.content.parent {
            Some(parent) => {
                let place = Place { seq: parent.seq, ..entry.place };
                let Some((origin, parent)) = self.cx.store.message_at(place, true).await? else {
                    return Ok(());
                };
                // What it says now was written behind the backs of those of whom it was read who may see it: the edit's own
                // entry tells of it.
                if parent.state.edited.is_some_and(|edit| edit.seq > self.last) {
                    return Ok(());
                }
                self.updated(entry, &origin).await
            }
            None => Ok(()),
        }
    }

    /// `TextMessagesUpdated` of a message, for those who may see it and the entry that changed it.
    async fn updated(&mut self, entry: &Entry, origin: &Entry) -> Result<(), Error> {
        let Event::MessageCreated(message) = &origin.event else { return Ok(()) };
        if message.state.recalled {
            return Ok(());
        }
        let Some(told) = self.told(message).await? else { return Ok(()) };
        let frame = Bytes::from(Wire::TextMessagesUpdated { messages: vec![told] }.encode());
        let who = self.hearers.iter().filter(|one| self.hears(one, entry) && self.stage.sees(one, origin));
        let who: Vec<UserId> = who.map(|member| member.user.clone()).collect();
        for user in who {
            self.tell(&user, &frame);
        }
        Ok(())
    }

    fn recalled(&mut self, entry: &Entry, reference: &Reference) {
        if let Some(event) = Wire::deleted(entry.place.number, reference) {
            let who = self.tell_all(entry, &event);
            self.rooms.extend(who);
        }
    }

    /// `TextMessageDeleted` of the newest of a user's own copies, for that user.
    async fn copies_deleted(
        &mut self,
        entry: &Entry,
        user: &UserId,
        from: Seq,
        to: Seq,
    ) -> Result<(), Error> {
        if !self.hearers.iter().any(|member| member.user == *user) {
            return Ok(());
        }
        for (_, message) in self.messages(from, to).await? {
            if let Some(event) = Wire::deleted(entry.place.number, &message.reference()) {
                self.tell(user, &Bytes::from(event.encode()));
            }
        }
        self.rooms.insert(user.clone());
        Ok(())
    }

    /// The newest messages from one entry to another, in their order.
    async fn messages(&self, from: Seq, to: Seq) -> Result<Vec<(Entry, Message)>, Error> {
        let span = Span::Before(Some(to.next()));
        let page = self.cx.store.entries(self.stage.number, span, MOST_TOLD, true).await?;
        let mut messages: Vec<(Entry, Message)> = page
            .entries
            .into_iter()
            .filter(|entry| entry.seq() >= from)
            .filter_map(|entry| match &entry.event {
                Event::MessageCreated(message) => {
                    let message = Message::clone(message);
                    Some((entry, message))
                }
                _ => None,
            })
            .collect();
        messages.reverse();
        Ok(messages)
    }

    /// `TextMessagesUpdated` of what was read, for all who may see it; `RoomUpdated` for the reader.
    async fn read(&mut self, user: &UserId, mark: ReadMark, before: Option<ReadMark>) -> Result<(), Error> {
        let joined = self.stage.members.get(user).map_or(Seq(0), |member| member.joined);
        let from = before.map_or(joined, |before| before.seq).next();
        self.rooms.insert(user.clone());
        if self.stage.shard.is_some() {
            // A thousand readers, told to a thousand: nobody could bear it.
            return Ok(());
        }
        let mut told = Vec::new();
        for (entry, message) in self.messages(from, mark.seq).await? {
            if message.state.recalled {
                continue;
            }
            if let Some(wire) = self.told(&message).await? {
                told.push((entry, wire));
            }
        }
        // Most see the same of it: one frame for all who do.
        let mut variants: BTreeMap<Vec<u64>, Vec<Bytes>> = BTreeMap::new();
        // A read mark is no entry, so no number says who was still there: it is for those who are members now.
        for member in self.hearers.clone().into_iter().filter(|member| member.is_active()) {
            let seen: Vec<&TextMessage> = told
                .iter()
                .filter(|(entry, _)| self.stage.sees(member, entry))
                .map(|(_, wire)| wire)
                .collect();
            if seen.is_empty() {
                continue;
            }
            let ids = seen.iter().map(|wire| wire.message_id).collect();
            for frame in variants.entry(ids).or_insert_with(|| packed(seen, updated)).clone() {
                self.tell(&member.user, &frame);
            }
        }
        Ok(())
    }

    fn room_deleted(&mut self, user: &UserId) {
        self.rooms.remove(user);
        let frame = Bytes::from(Wire::RoomDeleted { room_id: self.stage.number.0 }.encode());
        self.tell(user, &frame);
    }

    /// `RoomCreated` or `RoomUpdated`, as the user sees the room now.
    async fn room(&mut self, user: &UserId, created: bool) -> Result<(), Error> {
        let stage = self.stage;
        let Some(conversation) = &stage.conversation else { return Ok(()) };
        let member = self.hearers.iter().find(|member| member.user == *user && member.is_active());
        let Some(member) = member.copied() else { return Ok(()) };
        let (unread, last) = self.standing(member).await?;
        let peer = conversation.peer_of(user);
        let facts = Facts {
            peer_name: peer.and_then(|peer| self.users.get(peer)).map(|peer| peer.name.clone()),
            unread,
            moderator: member.role >= Role::Moderator,
            pinned: member.pinned,
            last,
        };
        let room = room::room(conversation, facts);
        let event = if created { Wire::RoomCreated { room } } else { Wire::RoomUpdated { room } };
        self.tell(user, &Bytes::from(event.encode()));
        Ok(())
    }
}

fn updated(messages: Vec<TextMessage>) -> Wire {
    Wire::TextMessagesUpdated { messages }
}

/// An event of these messages, in as few frames as they fit into.
fn packed(messages: Vec<&TextMessage>, event: impl Fn(Vec<TextMessage>) -> Wire) -> Vec<Bytes> {
    let mut frames: Vec<(usize, Vec<TextMessage>)> = Vec::new();
    for message in messages {
        let bytes = serde_json::to_vec(message).map_or(0, |json| json.len() + 1);
        match frames.last_mut() {
            Some((size, frame)) if *size + bytes <= FRAME_BYTES => {
                *size += bytes;
                frame.push(message.clone());
            }
            _ => frames.push((bytes, vec![message.clone()])),
        }
    }
    frames.into_iter().map(|(_, messages)| Bytes::from(event(messages).encode())).collect()
}
