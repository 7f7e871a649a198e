//! What must hold in the end.

use std::collections::BTreeMap;

use domain::{Dialect, Place};
use serde_json::Value;

use crate::{
    DEVICE, Soak,
    harness::{http::Api, program::Program},
    ledger::Shown,
    sockets, user,
};

/// A room: its id and its number.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) number: u64,
}

impl Room {
    /// What a dialect's frames call it.
    pub(crate) fn name(&self, dialect: Dialect) -> String {
        if dialect == Dialect::Events { self.number.to_string() } else { self.id.clone() }
    }
}

/// What the listeners heard in one life: by dialect and room, in order.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) heard: BTreeMap<Dialect, BTreeMap<String, Vec<String>>>,
}

/// A message of a log, with the number that the events dialect knows it by.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) shown: Shown,
    pub(crate) number: u64,
}

impl Logged {
    /// What a dialect's frames are noted by.
    pub(crate) fn name(&self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Events => self.number.to_string(),
            Dialect::Nkchat => self.shown.id.clone(),
            Dialect::Channelize | Dialect::Channels | Dialect::Channelstream => self.shown.text.clone(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A room's log by the events dialect: numbers and texts, oldest first.
async fn numbered(api: &Api, room: &Room) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> = Vec::new();
    loop {
        let cursor = all.last().map(|(number, _)| format!("&cursor={number}")).unwrap_or_default();
        let path = format!("/api/v1/rooms/{}/messages?limit=200&direction=forward{cursor}", room.number);
        let page = api.get(&path).await.expect(200);
        let page = page["messages"].as_array().expect("a list");
        let before = all.len();
        // The cursor is inclusive.
        let new = page.iter().map(|one| (one["messageId"].as_u64().expect("a number"), text(&one["text"])));
        let last = all.last().map_or(0, |(number, _)| *number);
        all.extend(new.filter(|(number, _)| *number > last));
        if all.len() == before {
            return all;
        }
    }
}

/// By Channelize, oldest first.
async fn by_channelize(api: &Api, room: &Room) -> Vec<Shown> {
    let mut all = Vec::new();
    for skip in (0..).step_by(200) {
        let path = format!(
            "/v2/conversations/{}/messages?types=normal&limit=200&skip={skip}&sort=updatedAt+ASC",
            room.id
        );
        let page = api.get(&path).await.expect(200);
        let page = page.as_array().expect("a list");
        all.extend(page.iter().map(|one| Shown { id: text(&one["id"]), text: text(&one["body"]) }));
        if page.len() < 200 {
            break;
        }
    }
    all
}

/// By the channels dialect, oldest first.
async fn by_channels(api: &Api, room: &Room) -> Vec<Shown> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/channels/{}/messages?limit=100{cursor}", room.id)).await.expect(200);
        let shown = |one: &Value| Shown { id: text(&one["message_id"]), text: text(&one["content"]) };
        all.extend(page["data"].as_array().expect("a list").iter().map(shown));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    all.reverse();
    all
}

/// A room's log, oldest first.
pub(crate) async fn listed(api: &Api, room: &Room) -> Vec<Logged> {
    let (shown, numbers) = (by_channels(api, room).await, numbered(api, room).await);
    shown.into_iter().zip(numbers).map(|(shown, (number, _))| Logged { shown, number }).collect()
}

/// Everything that is not as it must be; and prints what was there.
pub(crate) async fn check(soak: &Soak, program: &Program) -> Vec<String> {
    let (mut faults, mut logs) = (Vec::new(), BTreeMap::new());
    let (mut acknowledged, mut unanswered, mut lost, mut doubled) = (0, 0, 0, 0);
    let api = user(program, DEVICE);
    for room in &soak.rooms {
        let log = one_order(&api, room, &mut faults).await;
        let shown: Vec<Shown> = log.iter().map(|one| one.shown.clone()).collect();
        let balance = soak.ledger.balance(&room.id, &shown);
        acknowledged += balance.acknowledged;
        unanswered += balance.unanswered;
        lost += balance.lost.len();
        doubled += balance.doubled.len();
        faults.extend([balance.lost, balance.doubled, balance.strange].concat());
        has_the_log(soak, program, room, &log, &mut faults).await;
        logs.insert(room.id.clone(), log);
    }
    let mut frames = 0;
    for (n, life) in soak.lives.iter().enumerate() {
        for (dialect, rooms) in &life.heard {
            for room in &soak.rooms {
                let Some(heard) = rooms.get(&room.name(*dialect)) else { continue };
                frames += heard.len();
                let fault = in_order(*dialect, &logs[&room.id], heard);
                faults
                    .extend(fault.map(|fault| format!("life {n}, {}, {}: {fault}", dialect.name(), room.id)));
            }
        }
    }
    let device = soak.device.lock().unwrap();
    faults.extend(device.faults.clone());
    println!(
        "{} lives ended by kill -9 under load, {} while starting; {} rooms\n\
         {acknowledged} messages acknowledged, {} of them when they were sent again; {unanswered} never answered\n\
         {lost} lost, {doubled} doubled\n\
         the device resumed {} times, and was told {} events that it had missed; others heard {frames} frames",
        soak.lives.len(),
        soak.stillborn,
        soak.rooms.len(),
        soak.repeated.lock().unwrap(),
        device.resumed,
        device.missed,
    );
    faults
}

/// Three dialects list one order, numbered without a gap.
async fn one_order(api: &Api, room: &Room, faults: &mut Vec<String>) -> Vec<Logged> {
    let (shown, other) = (by_channels(api, room).await, by_channelize(api, room).await);
    let numbers = numbered(api, room).await;
    if shown != other {
        faults.push(format!(
            "{}: channels lists {} messages, channelize {}",
            room.id,
            shown.len(),
            other.len()
        ));
    }
    let texts: Vec<&str> = shown.iter().map(|one| one.text.as_str()).collect();
    if texts != numbers.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>() {
        faults.push(format!(
            "{}: channels lists {} messages, events {}",
            room.id,
            shown.len(),
            numbers.len()
        ));
    }
    let seqs: Vec<u64> =
        numbers.iter().filter_map(|(number, _)| Place::unpacked(*number)).map(|place| place.seq.0).collect();
    if seqs.windows(2).any(|pair| pair[0] + 1 != pair[1]) {
        faults.push(format!("{}: the log has a gap: {seqs:?}", room.id));
    }
    let both = shown.into_iter().zip(numbers);
    both.map(|(shown, (number, _))| Logged { shown, number }).collect()
}

/// What the device has of a room, and what resuming from its beginning tells, is the log.
async fn has_the_log(soak: &Soak, program: &Program, room: &Room, log: &[Logged], faults: &mut Vec<String>) {
    let Some(kept) = soak.device.lock().unwrap().rooms.get(&room.id).cloned() else {
        faults.push(format!("the device never followed {}", room.id));
        return;
    };
    let expected: Vec<&str> = log.iter().map(|one| one.shown.text.as_str()).collect();
    let texts = |of: &sockets::Kept| of.messages.values().cloned().collect::<Vec<_>>();
    // A room that has been left is followed no more, and may get one late repetition.
    if !expected.starts_with(&texts(&kept).iter().map(String::as_str).collect::<Vec<_>>()) {
        faults.push(format!("{}: the device has {} of {} messages", room.id, kept.messages.len(), log.len()));
    }
    let recent = soak.rooms.iter().rev().take(crate::FOLLOWED).any(|one| one.id == room.id);
    if recent && kept.messages.len() != log.len() {
        faults.push(format!("{}: the device has {} of {} messages", room.id, kept.messages.len(), log.len()));
    }
    let all = sockets::from_the_beginning(&program.address, DEVICE, &room.id, kept.epoch()).await;
    faults.extend(all.faults.iter().map(|fault| format!("from the beginning: {fault}")));
    if texts(&all.rooms[&room.id]) != expected {
        faults.push(format!("{}: resumed from the beginning, it is another log", room.id));
    }
}

/// Whether first occurrences are a part of the log without a gap, in order.
fn in_order(dialect: Dialect, log: &[Logged], heard: &[String]) -> Option<String> {
    let positions: BTreeMap<String, usize> =
        log.iter().enumerate().map(|(at, one)| (one.name(dialect), at)).collect();
    let mut next = None;
    for name in heard {
        let Some(at) = positions.get(name) else {
            return Some(format!("heard {name}, which is not in the log"));
        };
        match next {
            Some(next) if *at < next => {}
            Some(next) if *at > next => return Some(format!("heard {at} after {}", next - 1)),
            _ => next = Some(at + 1),
        }
    }
    None
}
