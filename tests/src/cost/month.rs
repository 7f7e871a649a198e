//! What a month costs, here and elsewhere, for clients who do what `docs/prices.json` assumes.

use std::fmt::Write as _;

use super::{
    bill::Bill,
    crowd::Ear,
    meter::Used,
    page::{CONNECT, Call, DISCONNECT, PAGE, SEND, SUBSCRIBE, count, money, thousand},
    prices::{Prices, tiered},
    rig::Settings,
};

const MILLION: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
/// Clients of a month.
const CLIENTS: [f64; 2] = [1e3, 1e6];

/// What a client does, measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Writing a message and delivering it.
    message: Used,
    /// Reading a page.
    page: Used,
    /// A connection with one subscription, from its beginning to its end.
    connection: Used,
    /// The bytes that a message is kept in.
    kept: f64,
}

impl Measured {
    /// Measures.
    ///
    /// # Errors
    /// What the program says.
    pub fn new(settings: Settings, prices: &Prices, calls: &[Call]) -> Result<Self, String> {
        let of = |name: &str| {
            let found = calls.iter().find(|(what, _)| *what == name);
            found.map(|(_, used)| *used).ok_or_else(|| format!("not measured: {name}"))
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
        let listeners = prices.assumed.client.listeners as usize;
        let messages = thousand(settings, prices, (Ear::Channels, listeners), &[1])?;
        Ok(Self {
            message: messages.first().copied().unwrap_or_default().times(0.001),
            page: of(PAGE)?,
            connection: of(CONNECT)? + of(SUBSCRIBE)? + of(DISCONNECT)?,
            // A message of one unit is at most a kilobyte.
            kept: of(SEND)?.writes * 1_024.0,
        })
    }
}

/// What so many clients use in a month.
struct Month {
    used: Used,
    messages: f64,
    /// Messages that connections got, of those that were written.
    heard: f64,
    connections: f64,
    minutes: f64,
    bytes_out: f64,
    bytes_kept: f64,
    peak: f64,
}

impl Month {
    fn of(prices: &Prices, measured: &Measured, clients: f64) -> Self {
        let client = prices.assumed.client;
        let messages = clients * client.days * client.messages;
        let connections = clients * client.days * client.connections;
        let pages = clients * client.days * client.pages;
        let used = measured.message.times(messages)
            + measured.page.times(pages)
            + measured.connection.times(connections);
        Self {
            messages,
            heard: messages * client.listeners,
            connections,
            minutes: clients * client.days * client.hours_online * 60.0,
            bytes_out: used.bytes + used.http_bytes,
            bytes_kept: messages * measured.kept,
            peak: clients * client.hours_online / 24.0 * client.peak_factor,
            used,
        }
    }
}

/// The lines of the bill.
fn own(prices: &Prices, month: &Month) -> Vec<(&'static str, f64)> {
    let aws = &prices.aws;
    // A subscription is asked for by one message of the client's.
    let used = Used { metered: month.used.metered + month.connections, ..month.used };
    let bill = Bill::of(prices, &used);
    let gigabytes = month.bytes_out / GIGABYTE;
    vec![
        ("posts, and messages of clients", bill.posts),
        ("connection minutes", month.minutes / MILLION * aws.websocket_api.connection_minutes_million),
        ("HTTP API", bill.http),
        ("functions, with logs and traces", bill.functions),
        ("table", bill.table),
        (
            "a month's messages kept, with backup",
            month.bytes_kept / GIGABYTE * (aws.dynamodb.storage_gb_month + aws.dynamodb.backup_gb_month),
        ),
        ("bytes out", tiered(&aws.transfer.out_gb, gigabytes)),
    ]
}

/// What others would take for the same; none: they have no list price for it.
fn others(prices: &Prices, month: &Month) -> Vec<(&'static str, Option<f64>)> {
    let others = &prices.others;
    let minutes = month.minutes / MILLION;
    let transfer = tiered(&prices.aws.transfer.out_gb, month.used.bytes / GIGABYTE);
    let events = month.messages + month.heard + 2.0 * month.connections;
    let appsync = &others.appsync_events;
    let iot = &others.iot_core;
    let ably = &others.ably;
    let channels = minutes / prices.assumed.client.listeners;
    let a_day = (month.messages + month.heard) / prices.assumed.client.days;
    let plan = others
        .pusher
        .plans
        .iter()
        .find(|(_, _, connections, messages)| month.peak <= *connections && a_day <= *messages);
    vec![
        (
            "AppSync Events",
            Some(
                events / MILLION * appsync.operations_million
                    + minutes * appsync.connection_minutes_million
                    + transfer,
            ),
        ),
        (
            "IoT Core",
            Some(
                tiered(&iot.messages_million, events / MILLION)
                    + minutes * iot.connection_minutes_million
                    + transfer,
            ),
        ),
        (
            "Ably, Standard",
            (month.peak <= ably.most_connections).then_some(
                ably.base_month
                    + (month.messages + month.heard) / MILLION * ably.messages_million
                    + minutes * ably.connection_minutes_million
                    + channels * ably.channel_minutes_million,
            ),
        ),
        ("Pusher Channels", plan.map(|(_, dollars, _, _)| *dollars)),
    ]
}

/// The part of the page.
#[must_use]
pub fn section(prices: &Prices, measured: &Measured) -> String {
    let client = prices.assumed.client;
    let months = CLIENTS.map(|clients| Month::of(prices, measured, clients));
    let mut text = format!(
        "## A month\n\n\
         Each client is connected {} hours a day in {} connections, writes {} messages a day of which each is heard by {} \
         connections (`channels`, one conversation at a time, quiet), and reads {} pages of 50 messages a day; at the busiest \
         moment {} times as many as on average are connected.\n\n\
         | | {} clients | {} clients |\n|---|---|---|\n",
        client.hours_online,
        client.connections,
        client.messages,
        client.listeners,
        client.pages,
        client.peak_factor,
        count(CLIENTS[0]),
        count(CLIENTS[1]),
    );
    let head = text.lines().rev().nth(1).unwrap_or_default().to_owned();
    let line = |text: &mut String, what: &str, values: [String; 2]| {
        let [few, many] = values;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "| {what} | {few} | {many} |");
    };
    let of = |f: fn(&Month) -> f64| [count(f(&months[0])), count(f(&months[1]))];
    line(&mut text, "messages written", of(|month| month.messages));
    line(&mut text, "posts", of(|month| month.used.posts));
    line(&mut text, "connection minutes", of(|month| month.minutes));
    line(&mut text, "connected at the busiest moment", of(|month| month.peak));
    // Another table, of the same columns.
    let _ = write!(text, "\n{head}\n|---|---|---|\n");
    let bills = [own(prices, &months[0]), own(prices, &months[1])];
    for ((what, few), (_, many)) in bills[0].iter().zip(&bills[1]) {
        line(&mut text, what, [money(*few), money(*many)]);
    }
    let sum = |bill: &[(&str, f64)]| bill.iter().map(|(_, dollars)| dollars).sum::<f64>();
    let total = |bill: &[(&str, f64)]| format!("**{}**", money(sum(bill)));
    line(&mut text, "**Switchboard**", [total(&bills[0]), total(&bills[1])]);
    let shown = |dollars: Option<f64>| dollars.map_or_else(|| "no list price".to_owned(), money);
    for ((what, few), (_, many)) in others(prices, &months[0]).iter().zip(others(prices, &months[1])) {
        line(&mut text, what, [shown(*few), shown(many)]);
    }
    text.push_str(
        "\nThe secret ($0.40 a month) and the alarms ($0.10 each) are left out. What the others are compared by is the live \
         delivery alone, as if a message were published once and heard by each connection: an operation or message for each \
         of them, two for a connection that comes and subscribes, all below 5 KB. History, members, moderation and resuming, \
         which the lines above pay for, would need a table, functions and an API beside AppSync Events and IoT \
         Core, and are priced otherwise, or not had, at Ably and Pusher. Ably is without its volume discounts; its and Pusher's list prices end where \
         \"no list price\" begins.\n\n\
         A conversation that is busy costs less here than this says, where its clients take arrays, and not there: see above.\n",
    );
    text
}
