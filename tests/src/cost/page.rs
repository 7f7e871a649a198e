//! `docs/costs.md`: every figure of it is counted by the real functions, or stands in `docs/prices.json`.

use std::{fmt::Write as _, time::Duration};

use tokio::time::sleep;

use super::{
    bill::Bill,
    crowd::{Crowd, Ear},
    meter::Used,
    month,
    prices::Prices,
    rig::{Rig, Settings, in_virtual_time},
};

/// How many messages a batch has where a conversation is busy: 20 a second, and a window of half a second.
const BUSY: usize = 10;

/// The whole page.
///
/// # Errors
/// What the program says.
pub fn page() -> Result<String, String> {
    let prices = Prices::read()?;
    let settings = Settings::usual()?;
    let calls = calls(settings, &prices)?;
    let mut page = opening(&prices);
    page.push_str(&calls_table(&calls));
    page.push_str(&deliveries(settings, &prices)?);
    page.push_str(&month::section(&prices, &month::Measured::new(settings, &prices, &calls)?));
    Ok(page)
}

fn opening(prices: &Prices) -> String {
    let answers = prices.assumed.answers_ms;
    format!(
        "<!-- Written by `UPDATE_GOLDEN=1 cargo test -p tests costs`; `cargo run -p tests --example costs` prints it. -->\n\
         # Costs\n\n\
         What is used is *counted*: the real functions run over the embedded table, which counts units as DynamoDB does, \
         and over an `@connections` and a topic that count posts and chunks. Prices and assumptions are in \
         [prices.json](prices.json) ({}), each with its source. Change them there, and print the page again.\n\n\
         Assumed, because it cannot be counted without AWS: the table answers in {} ms, `@connections` in {} ms, the topic \
         in {} ms; a call takes {} ms of CPU time and a post {} ms (twice what `cargo run -p tests --example cpu_time` measures: 1.5 to \
         1.9 ms, and 0.11 ms); a function has {} GB, logs {} bytes a call, and {} % of the calls are traced. \
         X-Ray also traces the first call of every second, which is in no sum here: $13 a month at most, and nearly half of the bill of a \
         small deployment. `Tracing: PassThrough` in the template's `Globals` turns it off. Nobody has compared this page with an \
         invoice.\n\n",
        prices.of,
        answers.table,
        answers.post,
        answers.topic,
        prices.assumed.cpu_ms_per_call,
        prices.assumed.cpu_ms_per_post,
        prices.assumed.memory_gb,
        prices.assumed.log_bytes_per_call,
        prices.assumed.traced_share * 100.0,
    )
}

/// What a call is, and what it used.
pub type Call = (&'static str, Used);

/// Measures calls, each in a process that has seen the conversation and the caller before.
fn calls(settings: Settings, prices: &Prices) -> Result<Vec<Call>, String> {
    in_virtual_time(async {
        let rig = Rig::new(settings, prices.assumed.answers_ms).await?;
        let crowd = Crowd::gather(&rig, Ear::Channels, 2).await?;
        for _ in 0..60 {
            crowd.say().await?;
        }
        let mut calls = Vec::new();
        let mut mark = rig.meter.used();
        let mut measured = |what| {
            let now = rig.meter.used();
            calls.push((what, now - mark));
            mark = now;
        };
        crowd.say().await?;
        measured(SEND);
        crowd.read().await?;
        measured(WARMED);
        crowd.read().await?;
        measured(PAGE);
        crowd.connect("a-first-one").await?;
        measured(WARMED);
        crowd.connect("another-one").await?;
        measured(CONNECT);
        crowd.subscribe("another-one").await?;
        measured(SUBSCRIBE);
        crowd.disconnect("another-one").await?;
        measured(DISCONNECT);
        calls.retain(|(what, _)| *what != WARMED);
        Ok(calls)
    })
}

/// What is done before something is measured, and left out.
const WARMED: &str = "";
/// Writing a message.
pub const SEND: &str = "write a message of 200 bytes";
/// Reading a page.
pub const PAGE: &str = "read a page of 50 messages";
/// A handshake of `channels`.
pub const CONNECT: &str = "connect (`channels`)";
/// A subscription.
pub const SUBSCRIBE: &str = "subscribe to a conversation (`channels`)";
/// The end of a socket.
pub const DISCONNECT: &str = "disconnect, with one subscription";

fn calls_table(calls: &[Call]) -> String {
    let mut table =
        "## A call\n\n| call | WRU | RRU | requests to the table | posts |\n|---|---|---|---|---|\n"
            .to_owned();
    for (what, used) in calls {
        // Writing into a string cannot fail.
        let _ = writeln!(
            table,
            "| {what} | {} | {} | {} | {} |",
            used.writes, used.reads, used.requests, used.posts
        );
    }
    table.push_str(
        "\nWRU, RRU: write and read units of 1 and 4 KB. `cargo test -p tests costs -- --nocapture` prints more calls, \
         beside their budgets.\n\n",
    );
    table
}

/// What a thousand messages cost until they are delivered.
fn deliveries(settings: Settings, prices: &Prices) -> Result<String, String> {
    let mut table = format!(
        "## A thousand messages, delivered\n\n\
         Messages of 200 bytes, from the request that writes them to the last connection. *quiet*: each comes alone. \
         *busy*: 20 a second, so that the window (`CoalesceMillis`, {} ms) makes batches of {BUSY}. *chunks*: an audience \
         beyond `LargeAudience` ({}) goes through the topic and the queue. Counted on one message, or one batch, after one \
         that warmed up, and multiplied.\n\n\
         | listeners | messages | way | WRU | RRU | posts | chunks | table | posts | HTTP | functions | chunks | dollars |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        settings.coalesce_millis, settings.large_audience,
    );
    for ear in [Ear::Channels, Ear::Arrays, Ear::Events] {
        for (listeners, large_audience) in
            [(2, 500), (50, 500), (1_000, 2_000), (1_000, settings.large_audience)]
        {
            // What comes alone is in no array that says more than it, and without arrays nothing is saved.
            let batches: &[usize] = match ear {
                Ear::Channels => &[1],
                Ear::Arrays => &[BUSY],
                Ear::Events => &[1, BUSY],
            };
            let settings = Settings { large_audience, ..settings };
            let measured = thousand(settings, prices, (ear, listeners), batches)?;
            for (batch, used) in batches.iter().zip(measured) {
                let bill = Bill::of(prices, &used);
                let way = if used.chunks > 0.0 { "chunks" } else { "straight" };
                // Writing into a string cannot fail.
                let _ = writeln!(
                    table,
                    "| {listeners}: {} | {} | {way} | {} | {} | {} | {} | {} | {} | {} | {} | {} | **{}** |",
                    ear.name(),
                    if *batch == 1 { "quiet" } else { "busy" },
                    count(used.writes),
                    count(used.reads),
                    count(used.posts),
                    count(used.chunks),
                    money(bill.table),
                    money(bill.posts),
                    money(bill.http),
                    money(bill.functions),
                    money(bill.chunks),
                    money(bill.total()),
                );
            }
        }
    }
    table.push_str(
        "\nThe posts are the cost, and fewer of them the lever: API Gateway has no multicast. `events` tells of a message \
         and of the room it is in; those of a busy conversation merge into two frames a batch. What is read for members of \
         `events` is one query each for their connections, and one for what they have not read.\n\n",
    );
    Ok(table)
}

/// What a thousand messages use, in batches of one size after the other.
///
/// # Errors
/// What the program says.
pub fn thousand(
    settings: Settings,
    prices: &Prices,
    (ear, listeners): (Ear, usize),
    batches: &[usize],
) -> Result<Vec<Used>, String> {
    in_virtual_time(async {
        let rig = Rig::new(settings, prices.assumed.answers_ms).await?;
        let crowd = Crowd::gather(&rig, ear, listeners).await?;
        let mut measured = Vec::new();
        for batch in batches {
            crowd.tell(*batch).await?;
            let before = rig.meter.used();
            if *batch == 1 {
                // Nobody's busy conversation.
                sleep(Duration::from_secs(10)).await;
            }
            crowd.tell(*batch).await?;
            #[expect(clippy::cast_precision_loss, reason = "at most ten")]
            let messages = *batch as f64;
            measured.push((rig.meter.used() - before).times(1_000.0 / messages));
        }
        Ok(measured)
    })
}

/// A number, in groups of three digits.
#[must_use]
pub fn count(number: f64) -> String {
    if number.fract() != 0.0 && number < 100.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Dollars: cents where there are some, else the first two digits that are there.
#[must_use]
pub fn money(dollars: f64) -> String {
    if dollars == 0.0 {
        "–".to_owned()
    } else if dollars >= 100.0 {
        format!("${}", count(dollars.round()))
    } else if dollars >= 0.1 {
        format!("${dollars:.2}")
    } else {
        let places = usize::try_from(1 - leading(dollars)).unwrap_or(2);
        format!("${dollars:.places$}")
    }
}

/// The power of ten that a number begins with.
#[expect(clippy::cast_possible_truncation, reason = "the logarithm of an amount of money")]
fn leading(number: f64) -> i32 {
    number.log10().floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0.0, 2.5, 1_000.0, 12_345_678.0].map(count), ["0", "2.5", "1,000", "12,345,678"]);
        assert_eq!(
            [0.0, 0.000_123_4, 0.05, 1.234, 99.5, 12_345.6].map(money),
            ["–", "$0.00012", "$0.050", "$1.23", "$99.50", "$12,346"]
        );
    }
}
