//! Notices: what a user, or everybody, is told because of an entry of a room. Each is told once, in a log of its own,
//! however often the stream brings the entry.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde_json::Value;

use super::{
    checker::{Case, Violation},
    log::{Entry, Event},
    world::Run,
};

/// To whom (the name of the log), what, and about which room.
type Told = (String, String, String);

/// What is told, and never was; what was told too often, or for no reason.
#[must_use]
pub fn check(case: &Case<'_>) -> Vec<Violation> {
    let mut due: BTreeMap<Told, RangeInclusive<usize>> = BTreeMap::new();
    for (number, life) in &case.index.rooms {
        let Some(oracle) = case.oracles.get(life) else { continue };
        let room = Case::named(life);
        for entry in oracle.log().entries.values() {
            let lost = case.dead_letters.iter().any(|one| one.has(*number, entry.seq));
            for (who, what) in tells(entry, oracle.visibility(entry.seq)) {
                // Of a room that was made again meanwhile its making is no news.
                let stale = what == "conversation_created" && case.lives_of(room) > 1;
                // Of several users of one entry only the last tells that all were told: the others may hear it twice.
                let most =
                    if matches!(&entry.event, Event::Removed(all, _) if all.len() > 1) { 1_000 } else { 1 };
                let so_far = due.entry((who, what.to_owned(), room.to_owned())).or_insert(0..=0);
                *so_far = so_far.start() + usize::from(!lost && !stale)..=so_far.end() + most;
            }
        }
    }
    let mut told = told(case);
    let mut violations = Vec::new();
    for (notice, times) in due {
        let found = told.remove(&notice).unwrap_or_default();
        if !times.contains(&found) {
            let what = format!("{notice:?} was told {found} times, and is to be told {times:?} times");
            violations.push(Violation::new("once", what));
        }
    }
    let groundless = told.into_keys().map(|notice| format!("{notice:?} was told for no reason"));
    violations.extend(groundless.map(|what| Violation::new("once", what)));
    violations
}

/// Whom an entry makes tell what.
fn tells(entry: &Entry, visibility: &str) -> Vec<(String, &'static str)> {
    let user = |user: &String| format!("user:{user}");
    match &entry.event {
        Event::Banned(banned) => vec![(user(banned), "banned")],
        Event::Unbanned(unbanned) => vec![(user(unbanned), "unbanned")],
        Event::Removed(members, how) if how == "kicked" => {
            members.iter().map(|kicked| (user(kicked), "kicked")).collect()
        }
        Event::Created(_) if visibility != "private" => vec![("global".to_owned(), "conversation_created")],
        _ => Vec::new(),
    }
}

/// What was told, and how often, as it stands in the logs.
fn told(case: &Case<'_>) -> BTreeMap<Told, usize> {
    let mut told: BTreeMap<Told, usize> = BTreeMap::new();
    for name in case.notices.keys() {
        let entries = case.oracles.get(name).into_iter().flat_map(|oracle| oracle.log().entries.values());
        for entry in entries {
            if let Event::Notice { what, room } = &entry.event {
                *told.entry((name.clone(), what.clone(), room.clone())).or_default() += 1;
            }
        }
    }
    told
}

/// The numbers of the logs that are no room's, by name.
#[must_use]
pub fn logs(run: &Run) -> BTreeMap<String, u64> {
    let log = |item: &Value| {
        let text = |path: &str| item.pointer(path).and_then(Value::as_str);
        let name = text("/pk/S")?.strip_prefix("CONV#\u{1}").filter(|_| text("/sk/S") == Some("CONV"))?;
        Some((name.to_owned(), text("/n/N")?.parse().ok()?))
    };
    run.items.iter().filter_map(log).collect()
}
