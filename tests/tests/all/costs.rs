//! What calls cost: consumed capacity, as DynamoDB counts it, held against the budgets.
//!
//! The budgets are a warm process's: one that has seen the conversation and the caller before. What the first call
//! of a new process costs stands beside it. `cargo test -p tests costs -- --nocapture` prints the table.
//!
//! Only on the embedded emulator: DynamoDB Local does not count a transaction as AWS does.

use std::path::Path;

use serde_json::{Value, json};
use switchboard::dynamodb::Storage;
use tests::cost::{
    crowd::{Crowd, Ear},
    rig::{Rig, Settings, in_virtual_time},
    size::{self, Told},
};

use crate::harness::{Server, recorder::Cost, within};

/// A call: who makes it, and what it is.
type Call = (&'static str, &'static str, String, Option<Value>);

/// A line of the table.
struct Line {
    what: String,
    budget: Cost,
    /// What the first call of a new process costs, where that was measured.
    cold: Option<Cost>,
    warm: Cost,
}

fn on(path: &Path) -> Storage {
    Storage::File(path.join("data.db"))
}

/// A server whose table outlives it, so that a new process can be had.
struct Bench {
    folder: tempfile::TempDir,
    server: Server,
    lines: Vec<Line>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = on(folder.path());
        let server = Server::in_process_with(|options| options.storage = storage).await;
        Self { folder, server, lines: Vec::new() }
    }

    /// The same table, in a process that remembers nothing.
    async fn restarted(mut self) -> Self {
        self.server.end().await;
        let storage = on(self.folder.path());
        self.server = Server::in_process_with(|options| options.storage = storage).await;
        self
    }

    async fn cost(&self, endpoint: &str, (user, method, path, body): Call) -> Cost {
        let mark = self.server.recorder.mark();
        let answer = self.server.user(user).ask(method, &path, body).await;
        assert!(answer.status < 300, "{answer:?}");
        self.server.recorder.cost(mark, endpoint)
    }

    /// Makes one call in a new process and another one, of the same kind, right after it.
    async fn measure(self, what: &str, endpoint: &str, budget: Cost, calls: [Call; 2]) -> Self {
        let mut new = self.restarted().await;
        let [first, second] = calls;
        let cold = Some(new.cost(endpoint, first).await);
        let warm = new.cost(endpoint, second).await;
        new.lines.push(Line { what: what.to_owned(), budget, cold, warm });
        new
    }
}

fn budget(writes: f64, reads: f64) -> Cost {
    Cost { writes, reads, requests: usize::MAX, queries: usize::MAX }
}

fn print(lines: &[Line]) {
    let shown = |cost: &Cost| format!("{} WRU + {} RRU in {}", cost.writes, cost.reads, cost.requests);
    println!("\n| call | budget | warm | cold |\n|---|---|---|---|");
    for Line { what, budget, cold, warm } in lines {
        let requests =
            if budget.requests < usize::MAX { format!(" in {}", budget.requests) } else { String::new() };
        let reads = if budget.reads.is_finite() { format!(" + {} RRU", budget.reads) } else { String::new() };
        println!(
            "| {what} | {} WRU{reads}{requests} | {} | {} |",
            budget.writes,
            shown(warm),
            cold.as_ref().map_or_else(|| "–".to_owned(), shown)
        );
    }
    println!("\nWRU, RRU: write and read units of 1 and 4 KB; `in n`: n requests to the table.\n");
}

fn assert_within(lines: &[Line]) {
    let missed: Vec<_> = lines
        .iter()
        .filter(|line| {
            let Line { budget, warm, .. } = line;
            warm.writes > budget.writes
                || warm.reads > budget.reads
                || warm.requests > budget.requests
                || warm.queries > budget.queries
        })
        .map(|line| format!("{}: {:?}, and its budget is {:?}", line.what, line.warm, line.budget))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn calls_stay_within_their_budgets() {
    let mut bench = Bench::new().await;
    bench.server.make_users(&["ann", "bob", "cat"]).await;
    let room = bench.server.make_conversation("private", &["ann", "bob", "cat"]).await;
    let ann = bench.server.user("ann");
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(ann.send(&room, &"x".repeat(200)).await);
    }
    let post = |path: String, body: Value| ("ann", "POST", path, Some(body));
    let send = |size: usize| {
        let body = json!({"conversationId": room, "body": "x".repeat(size)});
        post("/v2/messages/send".to_owned(), body)
    };
    for size in [200, 900] {
        let what = format!("send a message of {size} bytes");
        let calls = [send(size), send(size)];
        bench = bench.measure(&what, "channelize-send-message", budget(1.0, 2.5), calls).await;
    }
    let change = |what: &str, n: usize| {
        let path = format!("/v2/messages/{}/{what}", ids[n]);
        let body = (what != "pin").then(|| json!({"type": "like"}));
        ("ann", "POST", path, body)
    };
    let on_ids = |what: &str, n: usize| post(format!("/v2/messages/{what}"), json!({"messageIds": [ids[n]]}));
    for (what, endpoint, calls) in [
        ("react", "channelize-add-reaction", [change("add_reaction", 0), change("add_reaction", 1)]),
        ("pin", "channelize-pin-message", [change("pin", 2), change("pin", 3)]),
        (
            "recall",
            "channelize-delete-messages-for-everyone",
            [on_ids("delete_for_everyone", 4), on_ids("delete_for_everyone", 5)],
        ),
        ("delete the own copy", "channelize-delete-messages", [on_ids("delete", 6), on_ids("delete", 7)]),
    ] {
        bench = bench.measure(what, endpoint, budget(4.0, 3.5), calls).await;
    }
    print(&bench.lines);
    assert_within(&bench.lines);
    let writes: Vec<f64> = bench.lines.iter().take(2).map(|line| line.warm.writes).collect();
    assert_eq!(writes, [1.0, 1.0], "a message is one item");
    bench.server.end().await;
}

#[tokio::test]
async fn a_first_page_is_one_query() {
    let mut bench = Bench::new().await;
    bench.server.make_users(&["ann", "bob"]).await;
    let room = bench.server.make_conversation("private", &["ann", "bob"]).await;
    for _ in 0..60 {
        bench.server.user("ann").send(&room, &"x".repeat(200)).await;
    }
    let page = || {
        let path = format!("/v2/conversations/{room}/messages?types=&limit=50");
        ("bob", "GET", path.replace("types=&", ""), None)
    };
    let allowed = Cost { queries: 1, ..budget(0.0, 3.0) };
    bench = bench
        .measure(
            "first page: 50 messages of 200 bytes",
            "channelize-list-messages",
            allowed,
            [page(), page()],
        )
        .await;
    print(&bench.lines);
    assert_within(&bench.lines);
    assert_eq!(bench.lines[0].warm.queries, 1);
    bench.server.end().await;
}

#[tokio::test]
async fn unread_counts_take_a_query_for_each_conversation_and_one_more() {
    let mut bench = Bench::new().await;
    bench.server.make_users(&["ann", "bob"]).await;
    let count = || ("bob", "GET", "/v2/messages/unread/count".to_owned(), None);
    for rooms in [1, 30] {
        while bench.server.user("bob").get("/v2/conversations/count").await.expect(200)["count"] != rooms {
            let room = bench.server.make_conversation("private", &["ann", "bob"]).await;
            bench.server.user("ann").send(&room, "hello").await;
        }
        let allowed = Cost { requests: rooms + 1, ..budget(0.0, f64::INFINITY) };
        let what = format!("count unread messages in {rooms} conversations");
        bench = bench.measure(&what, "channelize-count-unread-messages", allowed, [count(), count()]).await;
        let counted = bench.server.user("bob").get("/v2/messages/unread/count").await.expect(200);
        assert_eq!(counted, json!({"count": rooms}));
    }
    print(&bench.lines);
    assert_within(&bench.lines);
    bench.server.end().await;
}

#[tokio::test]
async fn a_connection_costs_the_same_in_one_room_as_in_thirty() {
    let bench = Bench::new().await;
    bench.server.make_users(&["ann", "bob"]).await;
    let mut lines = Vec::new();
    for rooms in [1, 30] {
        while bench.server.user("bob").get("/v2/conversations/count").await.expect(200)["count"] != rooms {
            bench.server.make_conversation("private", &["ann", "bob"]).await;
        }
        let mark = bench.server.recorder.mark();
        let socket = bench.server.listen("bob").await;
        socket.close().await;
        // The function of `$disconnect` runs after the goodbye: a query, and one batch of deletions.
        let ended = async {
            while bench.server.recorder.since(mark, "events-disconnect").len() < 2 {
                tokio::task::yield_now().await;
            }
        };
        within("the end of a connection", ended).await;
        let mut both = bench.server.recorder.cost(mark, "events-connect");
        for operation in bench.server.recorder.since(mark, "events-disconnect") {
            both += &operation;
        }
        let what = format!("connect and disconnect, {rooms} rooms");
        lines.push(Line { what, budget: budget(4.0, f64::INFINITY), cold: None, warm: both });
    }
    print(&lines);
    assert_within(&lines);
    assert_eq!(lines[0].warm, lines[1].warm);
    assert_eq!(lines[0].warm.writes, 4.0, "two items that come and go");
    bench.server.end().await;
}

#[tokio::test]
async fn a_message_to_fifty_members_writes_nothing_for_any_of_them() {
    let mut bench = Bench::new().await;
    let names: Vec<String> = (0..50).map(|n| format!("user-{n:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    bench.server.make_users(&members).await;
    let room = bench.server.make_conversation("private", &members).await;
    let mut listener = bench.server.listen("user-49").await;
    bench.server.user("user-00").send(&room, "warm").await;
    bench.server.heard(&mut listener).await;
    let mark = bench.server.recorder.mark();
    bench.server.user("user-00").send(&room, "hello").await;
    let heard = bench.server.heard(&mut listener).await;
    assert_eq!(heard.len(), 2, "a message and a room: {heard:?}");
    let sent = bench.server.recorder.cost(mark, "channelize-send-message");
    let delivered = bench.server.recorder.cost(mark, "fan-out");
    assert_eq!((sent.writes, delivered.writes), (1.0, 0.0));
    bench.lines.push(Line {
        what: "deliver a message to 50 members, of whom 1 listens".to_owned(),
        budget: budget(0.0, f64::INFINITY),
        cold: None,
        warm: delivered,
    });
    print(&bench.lines);
    bench.server.end().await;
}

/// `docs/costs.md` is what is counted today, and what `docs/prices.json` says. `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_page_of_costs_is_what_is_counted() {
    let page = tests::cost::page::page().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/costs.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value != "0") {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differing: Vec<_> =
        page.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    assert!(page == written, "docs/costs.md: UPDATE_GOLDEN=1 writes these anew:\n{}", differing.join("\n"));
}

#[test]
fn a_large_audience_is_told_through_chunks_and_within_the_quota() {
    let told = told(&[Settings { large_audience: 10, ..size::compared().unwrap()[0] }]);
    for told in &told[0] {
        assert_eq!((told.used.posts, told.used.throttled), (100.0, 0.0));
        assert_eq!(told.used.chunks, 11.0, "ten of subscribers, one of the author: {told:?}");
        assert!(told.reached[0] <= told.reached[1], "{told:?}");
    }
    assert!(told[0][0].used.reads > told[0][1].used.reads, "only the first divides");
}

/// An audience is gathered once for all settings: what is measured of one says nothing of those before it.
#[test]
fn settings_that_share_an_audience_are_measured_as_if_alone() {
    let [usual, _, raised, singly] =
        size::compared().unwrap().map(|settings| Settings { large_audience: 10, ..settings });
    let together = told(&[singly, usual, raised]);
    assert_eq!(together, [told(&[singly]), told(&[usual]), told(&[raised])].concat());
}

fn told(all: &[Settings]) -> Vec<[Told; 2]> {
    let prices = tests::cost::prices::Prices::read().unwrap();
    let mut lines = Vec::new();
    size::tell(all, &prices, 100, |_, told| lines.push(*told)).unwrap();
    for Told { used, .. } in lines.iter_mut().flatten() {
        // A difference of two sums: what is less than a millisecond of it is rounding.
        used.seconds = (used.seconds * 1_000.0).round();
    }
    lines
}

/// In a shard of more subscribers than are asked about one by one the few members are read as a list.
#[test]
fn of_many_subscribers_and_few_members_a_banned_one_hears_nothing() {
    let settings = Settings { large_audience: 120, ..size::compared().unwrap()[0] };
    let answers = tests::cost::prices::Prices::read().unwrap().assumed.answers_ms;
    let told = in_virtual_time(async {
        let rig = Rig::new(settings, answers).await?;
        let crowd = Crowd::gather(&rig, Ear::Channels, 240).await?;
        crowd.tell(1).await?;
        crowd.ban(7).await?;
        let before = rig.meter.used();
        let place = crowd.say().await?;
        rig.deliver(&[place]).await?;
        Ok(rig.meter.used() - before)
    });
    let told = told.unwrap();
    assert_eq!((told.posts, told.chunks), (239.0, 3.0));
    assert!(told.reads < 60.0, "not a unit for each subscriber: {told:?}");
}

/// `RoomUpdated` counts what its reader has not read, from the log: only what the message before did not count yet is
/// read.
#[tokio::test]
async fn who_is_far_behind_costs_as_much_as_who_has_read_all() {
    let mut bench = Bench::new().await;
    bench.server.make_users(&["ann", "bob"]).await;
    let room = bench.server.make_conversation("private", &["ann", "bob"]).await;
    let mut listener = bench.server.listen("bob").await;
    let mut written = 0;
    for behind in [1, 100, 400] {
        while written < behind - 1 {
            bench.server.user("ann").send(&room, &"x".repeat(200)).await;
            written += 1;
        }
        bench.server.heard(&mut listener).await;
        let mark = bench.server.recorder.mark();
        bench.server.user("ann").send(&room, &"x".repeat(200)).await;
        written += 1;
        let heard = bench.server.heard(&mut listener).await;
        assert_eq!(heard.last().unwrap()["data"]["room"]["unreadMessageCount"], behind);
        let what = format!("deliver a message to a listener who has not read {behind}");
        let warm = bench.server.recorder.cost(mark, "fan-out");
        assert_eq!(warm.writes, 0.0);
        bench.lines.push(Line { what, budget: budget(0.0, f64::INFINITY), cold: None, warm });
    }
    print(&bench.lines);
    let reads: Vec<f64> = bench.lines.iter().map(|line| line.warm.reads).collect();
    assert!(reads.iter().all(|one| *one == reads[0]), "{reads:?}");
    bench.server.end().await;
}
