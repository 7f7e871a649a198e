//! The rules about what was heard: nothing forbidden, in order, without a gap, and in the end all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    checker::{Case, Violation},
    content,
    frames::{self, Shown, Told},
    given_up::Listener,
    history::{self, Fact},
    log::Event,
    oracle::{Oracle, Sight, Standing},
};

/// A socket.
#[derive(Debug, Clone)]
struct Socket {
    user: String,
    device: usize,
    dialect: &'static str,
    opened: u64,
    /// Since when it is told what its user may hear, where it need not subscribe.
    listening: Option<u64>,
    /// What it heard was written, by room, where the dialect has no positions.
    written: BTreeMap<String, Vec<u64>>,
    /// What messages said when they were last shown, by room.
    shown: BTreeMap<String, BTreeMap<u64, String>>,
}

impl Socket {
    fn listener(&self, socket: history::Socket) -> Listener<'_> {
        Listener { user: &self.user, socket, opened: self.opened, dialect: self.dialect }
    }

    /// The events dialect tells members, and nobody else.
    fn is_told(&self, oracle: &Oracle, seq: u64) -> bool {
        self.dialect != "events" || matches!(oracle.standing(&self.user, seq), Standing::Member(_))
    }
}

/// Where a device stands in a room, where the dialect has positions.
#[derive(Debug, Clone, Default)]
struct Position {
    /// The last entry that it has.
    last: Option<u64>,
    /// The life of the log that it asked to go on with.
    epoch: Option<String>,
    /// Entries that it has heard.
    heard: BTreeSet<u64>,
    /// When it asked to be subscribed, on which socket.
    asked: u64,
    /// Whether its last word was that it is subscribed; none: no word.
    subscribed: Option<bool>,
}

struct Listeners<'a> {
    case: &'a Case<'a>,
    sockets: BTreeMap<history::Socket, Socket>,
    positions: BTreeMap<(usize, String), Position>,
    violations: Vec<Violation>,
}

/// Everything that does not hold of what was heard.
#[must_use]
pub fn check(case: &Case<'_>) -> Vec<Violation> {
    let mut listeners =
        Listeners { case, sockets: BTreeMap::new(), positions: BTreeMap::new(), violations: Vec::new() };
    for (at, fact) in &case.run.facts {
        listeners.take(*at, fact);
    }
    listeners.in_the_end();
    listeners.violations
}

impl Listeners<'_> {
    fn breach(&mut self, rule: &'static str, at: u64, what: String) {
        self.violations.push(Violation::at(rule, at, what));
    }

    fn take(&mut self, at: u64, fact: &Fact) {
        match fact {
            Fact::Opening { socket, user, device, dialect } => {
                let (user, device, dialect) = (user.clone(), *device, *dialect);
                let (written, shown) = (BTreeMap::new(), BTreeMap::new());
                let socket_ = Socket { user, device, dialect, opened: at, listening: None, written, shown };
                self.sockets.insert(*socket, socket_);
            }
            Fact::Listening { socket } => {
                if let Some(socket) = self.sockets.get_mut(socket) {
                    socket.listening.get_or_insert(at);
                }
            }
            Fact::Subscribing { socket, room, after, epoch } => {
                let room = self.case.life(room, at);
                if let Some(position) = self.position(*socket, &room) {
                    position.last = *after;
                    position.epoch.clone_from(epoch);
                    position.asked = at;
                    position.subscribed = None;
                }
            }
            Fact::Subscribed { socket, room, seq, recovered, epoch } => {
                let room = self.case.life(room, at);
                let asked = self.position(*socket, &room).and_then(|position| position.epoch.clone());
                if *recovered && asked.as_ref() != Some(epoch) {
                    self.breach(
                        "no gap",
                        at,
                        format!("socket {socket} goes on with {room} after another life"),
                    );
                }
                self.subscribed(at, *socket, &room, *seq, *recovered);
            }
            Fact::Barred { socket, room, code } => {
                self.barred(at, *socket, &self.case.life(room, at), code);
            }
            Fact::Heard { socket, frame } => {
                let Some(who) = self.sockets.get(socket).map(|one| (one.user.as_str(), one.dialect)) else {
                    return;
                };
                let shown = frames::shown(&self.case.index, who.1, frame);
                for told in frames::told(&self.case.index, who, frame) {
                    self.heard(at, *socket, &told);
                }
                for shown in shown {
                    self.shown(at, *socket, shown);
                }
            }
            Fact::Closed { socket, by: "last" } => self.was_well(at, *socket),
            _ => {}
        }
    }

    fn position(&mut self, socket: history::Socket, room: &str) -> Option<&mut Position> {
        let device = self.sockets.get(&socket)?.device;
        Some(self.positions.entry((device, room.to_owned())).or_default())
    }

    fn parts(&self, socket: history::Socket, room: &str) -> Option<(Socket, &Oracle)> {
        Some((self.sockets.get(&socket)?.clone(), self.case.oracles.get(room)?))
    }

    fn subscribed(&mut self, at: u64, socket: history::Socket, room: &str, seq: u64, recovered: bool) {
        let Some((who, oracle)) = self.parts(socket, room) else { return };
        let position = self.positions.get(&(who.device, room.to_owned())).cloned().unwrap_or_default();
        if !oracle.might_read(&who.user, position.asked, at) {
            let what = format!("{} is subscribed, and may not read", who.user);
            return self.breach("forbidden", at, what);
        }
        if recovered && let Some(last) = position.last {
            let missed = missed(oracle, &who.user, last, seq);
            if !missed.is_empty() {
                let what = format!("{} resumes after {last} to {seq} without {missed:?}", who.user);
                self.breach("no gap", at, what);
            }
        }
        if let Some(position) = self.position(socket, room) {
            position.last = Some(position.last.filter(|_| recovered).map_or(seq, |last| last.max(seq)));
            position.subscribed = Some(true);
        }
    }

    fn barred(&mut self, at: u64, socket: history::Socket, room: &str, code: &str) {
        let Some((who, oracle)) = self.parts(socket, room) else { return };
        let asked = self.positions.get(&(who.device, room.to_owned())).map_or(0, |one| one.asked);
        let all = (oracle.tail(asked)..=oracle.tail(at)).all(|seq| oracle.may_read(&who.user, seq));
        if all && matches!(code, "forbidden" | "not_found") {
            self.breach("no gap", at, format!("{} may read, and is barred: {code}", who.user));
        }
        if let Some(position) = self.position(socket, room) {
            position.subscribed = Some(false);
        }
    }

    fn heard(&mut self, at: u64, socket: history::Socket, told: &Told) {
        let told = &match told.clone() {
            Told::Entry(room, seq, kind) => Told::Entry(self.case.life(&room, at), seq, kind),
            Told::Passing(room) => Told::Passing(self.case.life(&room, at)),
            other => other,
        };
        if let Told::Entry(log, seq, kind) | Told::Notice(log, seq, kind, _) = told
            && !self.case.oracles.contains_key(log)
        {
            return self.breach(
                "forbidden",
                at,
                format!("{kind} is told as entry {seq} of {log}, which is not there"),
            );
        }
        if let Told::Unknown(id) = told {
            return self.breach("forbidden", at, format!("a frame tells of {id}, which is in no log"));
        }
        if let Some(what) = self.forbidden(at, socket, told) {
            self.breach("forbidden", at, what);
        }
        match told {
            Told::Entry(room, seq, _) | Told::Notice(room, seq, ..) => self.in_order(at, socket, room, *seq),
            Told::Written(room, seq) => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.written.entry(room.clone()).or_default().push(*seq);
                }
            }
            _ => {}
        }
    }

    fn shown(&mut self, at: u64, socket: history::Socket, shown: Shown) {
        let Shown { room, message, text, told } = shown;
        let Some((who, oracle)) = self.parts(socket, &room) else { return };
        let forbidden = content::forbidden(oracle, &who.user, (message, &text), at);
        let before = told.is_some_and(|edit| content::is_before(oracle, message, &text, edit));
        if let Some(what) = forbidden {
            self.breach("forbidden", at, format!("{}'s socket {socket} is shown: {what}", who.user));
        }
        if before {
            self.breach(
                "order",
                at,
                format!("socket {socket} is told {told:?}, and {message} says {text:?}"),
            );
        }
        if let Some(socket) = self.sockets.get_mut(&socket) {
            socket.shown.entry(room).or_default().insert(message, text);
        }
    }

    /// Why the user must not be told this; none if that is all right.
    fn forbidden(&self, at: u64, socket: history::Socket, told: &Told) -> Option<String> {
        let (room, seq, entries) = match told {
            Told::Entry(room, seq, _)
            | Told::Notice(room, seq, ..)
            | Told::Written(room, seq)
            | Told::Shown(room, seq) => (room, *seq, vec![*seq]),
            Told::About(room, seq, what) => (room, *seq, about(self.case.oracles.get(room)?, *seq, what)),
            Told::Passing(room) => {
                let (who, oracle) = self.parts(socket, room)?;
                let hears = oracle.might_read(&who.user, at.saturating_sub(70_000), at);
                return (!hears).then(|| format!("{} hears what passes in a closed room", who.user));
            }
            Told::Unknown(_) => return None,
        };
        let (who, oracle) = self.parts(socket, room)?;
        let user = &who.user;
        let seen = entries.iter().any(|seq| oracle.sight(user, *seq) != Sight::Never);
        if !seen {
            return Some(format!("{user} is told {told:?} of entry {seq}, and may not see it"));
        }
        if let Told::Entry(_, _, kind) = told
            && let Some(entry) = oracle.log().entries.get(&seq)
            && !frames::is_called(&entry.event, kind)
        {
            return Some(format!("{kind} is told as entry {seq}, which is {:?}", entry.event));
        }
        if let Told::Notice(_, _, kind, of) = told {
            let entry = oracle.log().entries.get(&seq);
            let same = |event: &Event| matches!(event, Event::Notice { room, .. } if room == of);
            if !entry.is_some_and(|entry| frames::is_called(&entry.event, kind) && same(&entry.event)) {
                return Some(format!("{kind} of {of} is told as notice {seq} of {room}, which is {entry:?}"));
            }
        }
        // Who had not joined yet sees what was before only afterwards.
        if oracle.let_in(user, seq).is_none_or(|since| since > at) {
            return Some(format!("{user} is told of entry {seq} before joining"));
        }
        let subject = subject(oracle, seq);
        let hidden = oracle.hidden_since(user, subject).is_some_and(|since| since < who.opened);
        let own = matches!(told, Told::About(_, _, "gone"));
        (hidden && !own).then(|| format!("{user} is told of {seq}, whose own copy is deleted"))
    }

    /// A device with positions hears first occurrences in order, and skips nothing.
    fn in_order(&mut self, at: u64, socket: history::Socket, room: &str, seq: u64) {
        let Some((who, oracle)) = self.parts(socket, room) else { return };
        let position = self.positions.get(&(who.device, room.to_owned())).cloned().unwrap_or_default();
        let last = position.last.unwrap_or(seq.saturating_sub(1));
        if seq > last {
            let mut missed = missed(oracle, &who.user, last, seq - 1);
            missed.retain(|seq| !position.heard.contains(seq));
            missed.retain(|seq| !self.case.is_excused(room, *seq, &who.listener(socket)));
            if !missed.is_empty() {
                let what =
                    format!("{}'s socket {socket} hears {seq} after {last}, without {missed:?}", who.user);
                self.breach("no gap", at, what);
            }
        }
        if let Some(position) = self.position(socket, room) {
            position.last = Some(last.max(seq));
            position.heard.insert(seq);
        }
    }

    /// A socket that was well until everything was delivered heard everything itself.
    fn was_well(&mut self, at: u64, socket: history::Socket) {
        let Some(who) = self.sockets.get(&socket).cloned() else { return };
        for (room, oracle) in &self.case.oracles {
            let tail = oracle.tail(at);
            let always = (oracle.tail(who.opened)..=tail).all(|seq| oracle.may_read(&who.user, seq));
            let mut missed = if who.dialect == "channels" {
                let Some(position) = self.positions.get(&(who.device, room.clone())) else { continue };
                let Some(last) = position.last.filter(|_| position.subscribed == Some(true)) else {
                    continue;
                };
                let mut missed = if always { missed(oracle, &who.user, last, tail) } else { Vec::new() };
                missed.retain(|seq| !position.heard.contains(seq));
                missed
            } else {
                let Some(since) = who.listening.filter(|_| always) else { continue };
                let heard: BTreeSet<u64> = who.written.get(room).into_iter().flatten().copied().collect();
                let mut due = written_since(oracle, &who, since);
                due.retain(|seq| !heard.contains(seq));
                due
            };
            let excused = |seq: u64| self.case.is_excused(room, seq, &who.listener(socket));
            missed.retain(|seq| !excused(*seq));
            let mut outdated = Vec::new();
            if let Some(shown) = who.shown.get(room).filter(|_| always) {
                outdated = content::outdated(oracle, &who.user, shown);
            }
            outdated.retain(|(_, edit)| who.is_told(oracle, *edit) && !excused(*edit));
            let what = format!("{}'s {} socket {socket} was well and", who.user, who.dialect);
            if !missed.is_empty() {
                let what = format!("{what} did not hear {missed:?}");
                self.violations.push(Violation::at("nothing lost", at, what));
            }
            if !outdated.is_empty() {
                let what = format!("{what} shows what was before these edits: {outdated:?}");
                self.violations.push(Violation::at("nothing lost", at, what));
            }
        }
    }

    fn in_the_end(&mut self) {
        let mut violations = Vec::new();
        for ((device, room), position) in &self.positions {
            let Some(oracle) = self.case.oracles.get(room) else { continue };
            if self.case.life(Case::named(room), u64::MAX) != *room {
                continue;
            }
            let user = self.sockets.values().find(|one| one.device == *device).map(|one| one.user.as_str());
            let user = user.unwrap_or_default();
            let tail = oracle.tail(u64::MAX);
            let reads = oracle.may_read(user, tail);
            let mut missed = missed(oracle, user, position.last.unwrap_or(tail), tail);
            missed.retain(|seq| !position.heard.contains(seq));
            let what = match position.subscribed {
                None => format!("{user}'s device {device} never heard whether it is subscribed"),
                Some(subscribed) if subscribed != reads => {
                    format!("{user} may read: {reads}; the device {device} is subscribed: {subscribed}")
                }
                Some(true) if !missed.is_empty() => format!("{user}'s device {device} lacks {missed:?}"),
                Some(_) => continue,
            };
            violations.push(Violation::new("nothing lost", what));
        }
        for (number, socket) in &self.sockets {
            for (room, heard) in &socket.written {
                let Some(oracle) = self.case.oracles.get(room) else { continue };
                violations.extend(first_in_order(self.case, (oracle, room), *number, socket, heard));
            }
        }
        self.violations.extend(violations);
    }
}

/// A socket without positions hears first occurrences in order, and skips nothing that was written since it listens.
fn first_in_order(
    case: &Case<'_>,
    (oracle, room): (&Oracle, &str),
    number: usize,
    socket: &Socket,
    heard: &[u64],
) -> Option<Violation> {
    let mut seen = BTreeSet::new();
    let firsts = heard.iter().copied().filter(|seq| seen.insert(*seq));
    let firsts: Vec<u64> = firsts.collect();
    let user = &socket.user;
    if !firsts.is_sorted() {
        return Some(Violation::new("order", format!("{user}'s socket {number} hears {firsts:?}")));
    }
    let last = firsts.iter().copied().max().unwrap_or_default();
    // What waits in Channelstream is judged when it is told: not after one has gone.
    let judged = if socket.dialect == "channelstream" { oracle.tail(u64::MAX).max(last) } else { last };
    let always = (oracle.tail(socket.opened)..=judged).all(|seq| oracle.may_read(user, seq));
    let since = socket.listening.filter(|_| always)?;
    let mut skipped = written_since(oracle, socket, since);
    let excused = |seq| case.is_excused(room, seq, &socket.listener(number));
    skipped.retain(|seq| *seq < last && !seen.contains(seq) && !excused(*seq));
    (!skipped.is_empty()).then(|| {
        let what = format!("{user}'s {} socket {number} skips {skipped:?} before {last}", socket.dialect);
        Violation::new("no gap", what)
    })
}

/// Messages that a socket without positions is to hear: written since then, and to be seen.
fn written_since(oracle: &Oracle, socket: &Socket, since: u64) -> Vec<u64> {
    let entries = oracle.log().entries.values().filter(|entry| entry.committed > since);
    let due = entries.filter(|entry| {
        let user = &socket.user;
        let told = match &entry.event {
            Event::Message { audience, .. } => {
                let reached = audience.only.is_empty() || audience.only.contains(user);
                // Channelstream reaches whom a message names, and its author only if that is one of them.
                !audience.except.contains(user) && (reached || socket.dialect != "channelstream")
            }
            _ => false,
        };
        // What waits for a listener and is taken back meanwhile is not told.
        let told = told && !(socket.dialect == "channelstream" && oracle.is_recalled(entry.seq));
        told && socket.is_told(oracle, entry.seq) && oracle.sight(user, entry.seq) == Sight::Must
    });
    due.map(|entry| entry.seq).collect()
}

/// The entries after `last` up to `to` that the user is to see, and the channels dialect has a word for.
fn missed(oracle: &Oracle, user: &str, last: u64, to: u64) -> Vec<u64> {
    let due = |seq: &u64| oracle.channels_tells(*seq) && oracle.sight(user, *seq) == Sight::Must;
    (last + 1..=to).filter(due).collect()
}

/// The entries that a frame may be of which tells what became of a message.
fn about(oracle: &Oracle, message: u64, what: &str) -> Vec<u64> {
    let entries = oracle.log().entries.values();
    let of = entries.filter(|entry| match &entry.event {
        Event::About { what: is, seq, .. } => {
            *seq == message && (is == what || (what == "gone" && is == "message_recalled"))
        }
        Event::CopiesDeleted { ranges, .. } => {
            what == "gone" && ranges.iter().any(|(from, to)| (*from..=*to).contains(&message))
        }
        _ => false,
    });
    of.map(|entry| entry.seq).collect()
}

/// The message that an entry is about; the entry itself where it is about none.
fn subject(oracle: &Oracle, seq: u64) -> u64 {
    match oracle.log().entries.get(&seq).map(|entry| &entry.event) {
        Some(Event::About { seq: message, .. }) => *message,
        _ => seq,
    }
}
