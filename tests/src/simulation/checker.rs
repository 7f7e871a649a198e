//! What must hold of every world, whatever went wrong in it.
//!
//! 1. *Once*: an acknowledged write is in the log exactly once, one of unknown outcome at most once, a refused one
//!    nowhere; entries are numbered from 1 without a gap; who is to be told of one in a log of its own is told so once.
//! 2. *Permitted*: every entry was permitted to who wrote it, by what was true before it.
//! 3. *Nothing forbidden*: no frame, no list and no subscription shows a user what the [`Oracle`] forbids: no message, and
//!    nothing that a message says since an edit behind a closed door.
//! 4. *Order, no gap*: of each room a device hears first occurrences in order, and skips nothing that it is to see.
//! 5. *Nothing lost*: a device that resumes in the end has everything that it is to see; a socket that was well
//!    until the end heard everything itself, edits last; a list shows everything, as it is by then.
//! 6. *It ends*: everything is delivered, every device is answered, what is gone is forgotten, nothing panics.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    content,
    frames::Index,
    given_up::{DeadLetter, GivenUp, Listener},
    history::{Ask, Deed, Fact, Outcome},
    listening,
    log::{self, Event},
    notices,
    oracle::{Oracle, Sight},
    table,
    world::Run,
};

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, in a word.
    pub rule: &'static str,
    /// What happened.
    pub what: String,
    /// When, in the world's milliseconds; none: in the end.
    pub at: Option<u64>,
}

impl Violation {
    /// One that is seen in the end.
    #[must_use]
    pub fn new(rule: &'static str, what: String) -> Self {
        Self { rule, what, at: None }
    }

    /// One that is seen then.
    #[must_use]
    pub fn at(rule: &'static str, at: u64, what: String) -> Self {
        Self { rule, what, at: Some(at) }
    }
}

/// A request with its end.
#[derive(Debug, Clone)]
struct Request {
    user: String,
    room: String,
    deed: Deed,
    dialect: &'static str,
    asked: u64,
    answered: u64,
    outcome: Outcome,
    fair: bool,
}

/// What the rules look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The run.
    pub run: &'a Run,
    /// What is true of each room.
    pub oracles: BTreeMap<String, Oracle>,
    /// What frames name.
    pub index: Index,
    /// The logs of notices, by name.
    pub notices: BTreeMap<String, u64>,
    /// Chunks that were given up.
    pub given_up: Vec<GivenUp>,
    /// Records of the stream that were.
    pub dead_letters: Vec<DeadLetter>,
    requests: BTreeMap<Ask, Request>,
    /// What a room's id named, and since when.
    lives: BTreeMap<String, Vec<(u64, String)>>,
}

/// Everything that does not hold in this run.
#[must_use]
pub fn check(run: &Run) -> Vec<Violation> {
    let mut violations = Vec::new();
    violations.extend(run.stuck.iter().map(|what| Violation::new("it ends", what.clone())));
    for (at, fact) in &run.facts {
        if let Fact::Panicked { .. } | Fact::Overdue = fact {
            violations.push(Violation::at("it ends", *at, fact.to_string()));
        }
    }
    violations.extend(numbered(run));
    violations.extend(forgotten(run));
    let case = match Case::new(run) {
        Ok(case) => case,
        Err(fault) => {
            violations.push(Violation::new("once", fault));
            return violations;
        }
    };
    violations.extend(case.once());
    violations.extend(case.permitted());
    violations.extend(case.reads());
    violations.extend(case.swept());
    violations.extend(notices::check(&case));
    violations.extend(listening::check(&case));
    violations
}

/// Each log is numbered from 1 on, each entry was inserted once and still stands.
fn numbered(run: &Run) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut inserted: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (number, seq) in run.inserted.iter().filter_map(table::place) {
        if !inserted.entry(number).or_default().insert(seq) {
            violations.push(Violation::new("once", format!("entry {seq} of {number} was written twice")));
        }
    }
    let mut standing: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (number, seq) in run.items.iter().filter_map(table::place) {
        standing.entry(number).or_default().insert(seq);
    }
    for (number, seqs) in &standing {
        let expected: BTreeSet<u64> = (1..).take(seqs.len()).collect();
        if *seqs != expected {
            violations.push(Violation::new("order", format!("the log {number} has gaps: {seqs:?}")));
        }
    }
    if inserted != standing {
        violations.push(Violation::new("once", "the stream and the table differ".to_owned()));
    }
    violations
}

/// What is gone, and has said so, is found by nobody. (A topic may still name it: a subscription that was under way
/// when its connection ended stays until its time to live is over, and is posted to in vain.)
fn forgotten(run: &Run) -> Vec<Violation> {
    let mut violations = Vec::new();
    for item in &run.items {
        let text = |path: &str| item.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let named = [text("/pk/S"), text("/sk/S")].map(|key| key.strip_prefix("CONN#").unwrap_or_default());
        if let Some(gone) = run.gone.iter().find(|gone| named.contains(&gone.as_str())) {
            violations
                .push(Violation::new("it ends", format!("{gone} is gone, and still stands at {named:?}")));
        }
    }
    violations
}

impl<'a> Case<'a> {
    fn new(run: &'a Run) -> Result<Self, String> {
        let logs = log::read(&run.inserted, &run.rewritten, &run.commits)?;
        let mut lives: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        let (mut oracles, mut index) = (BTreeMap::new(), Index::default());
        let mut requests: BTreeMap<Ask, Request> = BTreeMap::new();
        let (mut fair, mut given_up, mut dead_letters) = (false, Vec::new(), Vec::new());
        for (at, fact) in &run.facts {
            match fact {
                Fact::Room { room, number, since, visibility } => {
                    let before = lives.entry(room.clone()).or_default();
                    let room = if before.is_empty() { room.clone() } else { format!("{room}#{number}") };
                    before.push((*since, room.clone()));
                    let log = logs.get(number).cloned().unwrap_or_default();
                    index.rooms.insert(*number, room.clone());
                    for entry in log.entries.values() {
                        if let Event::Message { id, .. } = &entry.event {
                            index.messages.insert(id.clone(), (room.clone(), entry.seq));
                        }
                    }
                    oracles.insert(room.clone(), Oracle::new(&log, visibility));
                }
                Fact::Asked { ask, user, room, deed, dialect } => {
                    let room = lives.get(room).and_then(|all| all.last()).map_or(room, |(_, life)| life);
                    let (user, room, deed) = (user.clone(), room.clone(), deed.clone());
                    let (asked, answered, outcome) = (*at, u64::MAX, Outcome::Unknown);
                    let dialect = *dialect;
                    let request = Request { user, room, deed, dialect, asked, answered, outcome, fair };
                    requests.insert(*ask, request);
                }
                Fact::Answered { ask, outcome } => {
                    if let Some(request) = requests.get_mut(ask) {
                        request.answered = *at;
                        request.outcome = outcome.clone();
                    }
                }
                Fact::Cleared => fair = true,
                Fact::GivenUp { chunk } => given_up.extend(GivenUp::of(*at, chunk)),
                Fact::DeadLetter { keys, .. } => dead_letters.push(DeadLetter::of(*at, keys)),
                _ => {}
            }
        }
        let notices = notices::logs(run);
        for (name, number) in &notices {
            let log = logs.get(number).cloned().unwrap_or_default();
            oracles.insert(name.clone(), Oracle::of_notices(&log, name.strip_prefix("user:")));
        }
        Ok(Self { run, oracles, index, notices, given_up, dead_letters, requests, lives })
    }

    /// What the room's id named then: its first life is called as it is, a later one with its number.
    #[must_use]
    pub fn life(&self, room: &str, at: u64) -> String {
        let lives = self.lives.get(room).into_iter().flatten();
        lives.take_while(|(since, _)| *since <= at).last().map_or(room, |(_, life)| life).to_owned()
    }

    /// How many lives a room's id has named.
    #[must_use]
    pub fn lives_of(&self, room: &str) -> usize {
        self.lives.get(room).map_or(0, Vec::len)
    }

    /// The id of a room, of whichever life.
    #[must_use]
    pub fn named(life: &str) -> &str {
        life.split('#').next().unwrap_or(life)
    }

    /// Whether a socket may have missed an entry that no resume has told since.
    #[must_use]
    pub fn is_excused(&self, room: &str, seq: u64, who: &Listener<'_>) -> bool {
        let of_room = self.index.rooms.iter().find(|(_, name)| *name == room).map(|(number, _)| number);
        let number = of_room.or_else(|| self.notices.get(room)).copied().unwrap_or_default();
        self.given_up.iter().any(|one| one.excuses(number, seq, who))
            || self.dead_letters.iter().any(|one| one.excuses(number, seq, who))
    }

    fn once(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut written: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for (room, oracle) in &self.oracles {
            for entry in oracle.log().entries.values() {
                if let Event::Message { text, .. } = &entry.event {
                    written.entry(text).or_default().push((room, entry.seq));
                }
            }
        }
        for (ask, request) in &self.requests {
            let Deed::Say { text, .. } = &request.deed else { continue };
            let places = written.remove(text.as_str()).unwrap_or_default();
            // Channelstream's message to a channel that is not there is delivered to nobody, and acknowledged.
            let to_nobody = request.dialect == "channelstream"
                && self
                    .oracles
                    .get(&request.room)
                    .and_then(Oracle::ended)
                    .is_some_and(|at| at <= request.answered);
            let fits = match request.outcome {
                Outcome::Done { .. } if to_nobody => places.len() <= 1,
                Outcome::Done { .. } => places.len() == 1,
                Outcome::Refused(_) => places.is_empty(),
                Outcome::Unknown => places.len() <= 1,
            };
            if !fits {
                let what = format!("#{ask} {text} was {}, and is in the log at {places:?}", request.outcome);
                violations.push(Violation::at("once", request.answered, what));
            }
            for (room, seq) in places {
                violations.extend(self.as_asked(*ask, request, room, seq));
            }
        }
        for (text, places) in written {
            violations.push(Violation::new("once", format!("nobody wrote {text:?} at {places:?}")));
        }
        violations
    }

    /// Whether what was written is what was asked for.
    fn as_asked(&self, ask: Ask, request: &Request, room: &str, seq: u64) -> Option<Violation> {
        let entry = self.oracles.get(room)?.log().entries.get(&seq)?;
        let (Event::Message { id, audience, .. }, Deed::Say { only, except, .. }) =
            (&entry.event, &request.deed)
        else {
            return None;
        };
        let sorted = |users: &[String]| users.iter().cloned().collect::<BTreeSet<_>>();
        let same_id = match &request.outcome {
            Outcome::Done { message: Some(told), .. } => told == id,
            _ => true,
        };
        let fits = same_id
            && room == request.room
            && audience.author == request.user
            && sorted(&audience.only) == sorted(only)
            && sorted(&audience.except) == sorted(except)
            && request.asked <= entry.committed
            && (matches!(request.outcome, Outcome::Unknown) || entry.committed <= request.answered);
        (!fits).then(|| {
            let what = format!("#{ask} was asked for as {request:?}, and written as {entry:?}");
            Violation::at("once", request.answered, what)
        })
    }

    fn permitted(&self) -> Vec<Violation> {
        let entries = self.oracles.values().flat_map(|oracle| {
            oracle
                .log()
                .entries
                .values()
                .filter_map(|entry| Some((entry.committed, oracle.forbidden(entry)?)))
        });
        entries.map(|(at, what)| Violation::at("permitted", at, what)).collect()
    }

    /// Nothing is left of the members of a conversation that has ended, and whose end was told to all.
    fn swept(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        let gave_up = !self.given_up.is_empty() || !self.dead_letters.is_empty();
        for item in self.run.items.iter().filter(|_| !gave_up) {
            let text = |path: &str| item.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let number = text("/n/N").parse().unwrap_or_default();
            let Some(room) = self.index.rooms.get(&number) else { continue };
            let ended = self.oracles.get(room).and_then(Oracle::ended);
            if let (Some(user), Some(_)) = (text("/sk/S").strip_prefix("MEMBER#"), ended) {
                let what = format!("{user} is still in the list of {room}, which has ended");
                violations.push(Violation::new("it ends", what));
            }
        }
        violations
    }

    /// What lists show.
    fn reads(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (ask, request) in &self.requests {
            if let Some(what) = self.read(request) {
                violations.push(Violation::at("lists", request.answered, format!("#{ask}: {what}")));
            }
        }
        violations
    }

    fn read(&self, request: &Request) -> Option<String> {
        let oracle = self.oracles.get(&request.room)?;
        let (user, from, to) = (request.user.as_str(), request.asked, request.answered);
        if request.deed != Deed::Read {
            return None;
        }
        let shown = match &request.outcome {
            Outcome::Done { read: Some(shown), .. } => shown,
            Outcome::Refused(_) => {
                let all = (oracle.tail(from)..=oracle.tail(to)).all(|seq| oracle.may_read(user, seq));
                return all.then(|| format!("{user} may read, and is refused"));
            }
            _ => return request.fair.then(|| format!("{user} gets no answer in fair weather")),
        };
        if !oracle.might_read(user, from, to) {
            return Some(format!("{user} may not read, and is shown {} messages", shown.len()));
        }
        for (id, text) in shown {
            let Some((_, seq)) = self.index.messages.get(id) else {
                return Some(format!("{id} is no message"));
            };
            let stale =
                content::is_stale(oracle, *seq, text, from).then(|| format!("{seq} said {text} before"));
            if let Some(what) = content::forbidden(oracle, user, (*seq, text), to).or(stale) {
                return Some(format!("{user} is shown what it may not: {what}"));
            }
        }
        if request.fair {
            let expected = oracle.listed(user);
            let shown: Vec<&String> = shown.iter().map(|(id, _)| id).collect();
            return (!shown.iter().copied().eq(&expected)).then(|| {
                let differing: Vec<_> = shown.iter().filter(|id| !expected.contains(id)).collect();
                let missing: Vec<_> = expected.iter().filter(|id| !shown.contains(id)).collect();
                format!("{user}'s list: too much {differing:?}, too little {missing:?}, or out of order")
            });
        }
        shown.iter().find_map(|(id, _)| {
            let (_, seq) = self.index.messages.get(id)?;
            let hidden = oracle.hidden_since(user, *seq).is_some_and(|since| since < from);
            let seen = hidden || oracle.sight(user, *seq) == Sight::Never;
            seen.then(|| format!("{user} is shown {seq}, and may not see it"))
        })
    }
}
