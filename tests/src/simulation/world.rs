//! One world: made, lived in, cleared up and looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use domain::Dialect;
use handlers::{
    auth::Caller,
    delivery::{road::Settings, topic::Topics},
    operations::create::{self, NewConversation},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    actor::{Actor, Known},
    cloud::Cloud,
    device::{Device, Phase, Surroundings},
    dice::Dice,
    door::{Door, Knock, Who},
    expiry,
    gateway::Lines,
    history::{Fact, History, hash},
    queue::Queue,
    stream::Stream,
    table::{Place, Table},
    time,
    topic::{self, Topic},
    weather::Weather,
};

/// All that is known of a world when it is over.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What its clients saw.
    pub facts: Vec<(u64, Fact)>,
    /// The table's items at the end.
    pub items: Vec<Value>,
    /// The logs' entries as they were written.
    pub inserted: Vec<Value>,
    /// When each was committed.
    pub commits: BTreeMap<Place, u64>,
    /// What became of messages, in the order of the changes: the items as they stood after each.
    pub rewritten: Vec<Value>,
    /// How often something went wrong.
    pub faults: u64,
    /// Requests to the table.
    pub requests: u64,
    /// Connections that said in fair weather that they are gone.
    pub gone: BTreeSet<String>,
    /// Chunks of large audiences.
    pub chunks: u64,
    /// What went wrong that is no weather.
    pub stuck: Option<String>,
}

impl Run {
    /// A number that is the same for the same history.
    #[must_use]
    pub fn hash(&self) -> u64 {
        hash(&self.facts)
    }
}

/// Users of a world.
const NAMES: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];
/// How long a world may take to deliver everything once the weather is fair, in milliseconds: a chunk that was
/// received in vain is hidden for a minute and a half.
const DRAIN: u64 = 2_000_000;

/// Lives through the world of that seed.
///
/// # Errors
/// When the world cannot be made.
pub fn run(seed: u64) -> Result<Run, String> {
    lived(seed, false)
}

/// The same, with the emulator beside the table: fails if one of their answers differs.
///
/// # Errors
/// In what they differ; or when the world cannot be made.
pub fn compared(seed: u64) -> Result<Run, String> {
    lived(seed, true)
}

fn lived(seed: u64, beside: bool) -> Result<Run, String> {
    // The SDK's jitter and the store's.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let local = runtime.block_on(live(seed, beside));
    // What is still under way is dropped here, before the thread lives through another world.
    drop(runtime);
    local
}

async fn live(seed: u64, beside: bool) -> Result<Run, String> {
    time::begin();
    let weather = Weather::of(seed);
    let history = History::default();
    let table = Table::new(seed, weather.clone(), beside)?;
    let lines = Lines::new(seed, weather.clone());
    let queue = Queue::new(seed, weather.clone(), history.clone());
    let (settings, topics) = road(seed, &queue, &weather);
    let around = (weather.clone(), history.clone());
    let cloud = Arc::new(Cloud::new(seed, &table, &lines, (settings, &topics), around));
    let dice = Dice::new(seed, "world");
    let count = usize::try_from(dice.between(3, 5)).unwrap_or(3);
    let users: Vec<String> = NAMES.iter().take(count).map(|name| (*name).to_owned()).collect();
    let door = Door::new(Arc::clone(&cloud), &users)?;
    let rooms = furnish((&table, &door, &history), &dice, &users).await?;
    let sockets = Arc::new(AtomicUsize::new(0));
    let surroundings = Surroundings {
        cloud: Arc::clone(&cloud),
        door,
        lines,
        history: history.clone(),
        weather: weather.clone(),
        rooms,
        sockets,
    };
    let stream = Stream::new(seed, &table, weather.clone(), history.clone());
    let mut streaming = JoinSet::new();
    streaming.spawn(Arc::clone(&stream).run(Arc::clone(&cloud)));
    let mut serving = JoinSet::new();
    serving.spawn(Arc::clone(&queue).run(Arc::clone(&cloud)));
    let mut expiring = JoinSet::new();
    expiring.spawn(expiry::run(seed, Arc::clone(&table), weather.clone(), history.clone()));
    weather.set_fair(false);
    // Where a conversation may end, nobody names one that is not there: that would make another of its name.
    let mortal = dice.permille(200);
    let (mut devices, phases) = devices(&surroundings, seed, &dice, &users, mortal);
    let asks = Arc::new(AtomicUsize::new(0));
    let actors = || actors(&surroundings, seed, &dice, &users, (&table, &asks, mortal));
    let mut readers = act(actors(), dice.between(16, 36)).await;
    // Devices may have gone to bed after the last deed.
    time::pass(weather.until_morning()).await;
    weather.set_fair(true);
    let gone = ended(&table);
    if !gone.is_empty() && dice.permille(700) {
        // When everything is quiet, what has ended is made again; and life goes on.
        let quiet = drained(&stream, &queue).await;
        time::pass(60_000).await;
        for room in &gone {
            furnish_one((&table, &surroundings.door, &history), &dice, &users, room).await?;
        }
        weather.set_fair(false);
        readers = act(actors(), dice.between(8, 24)).await;
        time::pass(weather.until_morning()).await;
        weather.set_fair(true);
        if quiet.is_some() {
            return Err("a world that was to go on did not get quiet".to_owned());
        }
    }
    history.note(Fact::Cleared);
    let mut stuck = drained(&stream, &queue).await;
    // Whoever waits for an answer that never comes, or has a dead line, finds out; holds of dead functions end.
    time::pass(60_000).await;
    // In some worlds everybody hears once more of each room: whoever is gone is found out, if not before.
    if dice.permille(600) {
        for (actor, room) in readers.iter().cycle().zip(&surroundings.rooms) {
            actor.last_word(room).await;
        }
    }
    stuck = stuck.or(drained(&stream, &queue).await);
    for phase in &phases {
        let _ = phase.send(Phase::Last);
    }
    let all = async { while devices.join_next().await.is_some() {} };
    if tokio::time::timeout(std::time::Duration::from_millis(DRAIN), all).await.is_err() {
        stuck = stuck.or(Some("a device never gets an answer".to_owned()));
    }
    for reader in &readers {
        for room in &surroundings.rooms {
            reader.read(room).await;
        }
    }
    streaming.abort_all();
    serving.abort_all();
    expiring.abort_all();
    if let Some(difference) = table.differences()?.first() {
        return Err(difference.clone());
    }
    Ok(Run {
        facts: history.facts(),
        items: table.items(),
        inserted: stream.inserted(),
        commits: stream.commits(),
        rewritten: stream.rewritten(),
        faults: weather.struck(),
        requests: table.requests(),
        chunks: queue.sent(),
        gone: surroundings.lines.gone(),
        stuck,
    })
}

/// How this world's large audiences are served, and how long a busy room may wait: in some worlds three are many.
fn road(seed: u64, queue: &Arc<Queue>, weather: &Weather) -> (Settings, Topics) {
    let dice = Dice::new(seed, "road");
    let mut settings = Settings::default();
    if dice.permille(400) {
        settings.coalesce = Duration::from_millis(dice.between(20, 500));
    }
    if dice.permille(150) {
        settings.posts_per_second = u32::try_from(dice.between(20, 400)).unwrap_or(20);
    }
    if !dice.permille(450) {
        return (settings, Topics::default());
    }
    settings.large_audience = usize::try_from(dice.between(2, 4)).unwrap_or(2);
    let client = Some(Topic::new(seed, queue, weather.clone()).client());
    (settings, Topics { client, chunks: Some(topic::ARN.to_owned()), events: None })
}

/// Where rooms are made, and noted.
type Ground<'a> = (&'a Table, &'a Door, &'a History);

/// Makes the rooms, and lets some users in.
async fn furnish(ground: Ground<'_>, dice: &Dice, users: &[String]) -> Result<Vec<String>, String> {
    let mut rooms = Vec::new();
    for n in 0..dice.between(1, 3) {
        let room = format!("room-{n}");
        furnish_one(ground, dice, users, &room).await?;
        rooms.push(room);
    }
    Ok(rooms)
}

async fn furnish_one(
    (table, door, history): Ground<'_>,
    dice: &Dice,
    users: &[String],
    room: &str,
) -> Result<(), String> {
    let owner = dice.pick(users).cloned().unwrap_or_default();
    let visibility = dice.pick(&["private", "private", "public", "open"]).copied().unwrap_or("private");
    let since = time::millis();
    make(door, &owner, room, visibility).await?;
    let number = numbers(table).get(room).copied().unwrap_or_default();
    history.note(Fact::Room { room: room.to_owned(), number, since, visibility: visibility.to_owned() });
    for user in users.iter().filter(|user| **user != owner) {
        if dice.permille(750) {
            let path = vec![("channel_id", room)];
            let body = json!({ "user_id": user });
            door.knock(Who::ServerFor(&owner), Knock::new("channels-add-member", path, body)).await;
        }
    }
    Ok(())
}

/// Makes a room of this id: one that the server draws would be another in the next run.
async fn make(door: &Door, owner: &str, room: &str, visibility: &str) -> Result<(), String> {
    let cx = door.cloud().process();
    let user = domain::UserId::trusted(owner);
    cx.store.ensure_user(&user, cx.clock.now()).await.map_err(|error| error.to_string())?;
    let caller = Caller { user: Some(user), powerful: false, server: false };
    let visibility = serde_json::from_value(json!(visibility)).map_err(|error| error.to_string())?;
    let id = Some(domain::ConversationId::trusted(room));
    let new = NewConversation { id, title: Some(room.to_owned()), ..NewConversation::of(visibility) };
    let made = create::create(cx, &caller, Dialect::Channels, new).await;
    made.map(|_| ()).map_err(|error| error.to_string())
}

/// The rooms' numbers, from the table.
fn numbers(table: &Table) -> BTreeMap<String, u64> {
    let settings = settings(table).into_iter();
    settings.filter_map(|(room, item)| Some((room, item.pointer("/n/N")?.as_str()?.parse().ok()?))).collect()
}

/// The rooms that have ended.
fn ended(table: &Table) -> Vec<String> {
    let settings = settings(table).into_iter();
    settings.filter(|(_, item)| item.get("gone").is_some()).map(|(room, _)| room).collect()
}

/// The rooms' own items.
fn settings(table: &Table) -> Vec<(String, Value)> {
    let named = |item: Value| {
        let text = |path: &str| item.pointer(path).and_then(Value::as_str);
        let room = text("/pk/S")?.strip_prefix("CONV#room-").filter(|_| text("/sk/S") == Some("CONV"))?;
        Some((format!("room-{room}"), item))
    };
    table.items().into_iter().filter_map(named).collect()
}

/// Devices at work, and how each is told how far the world is.
type Devices = (JoinSet<()>, Vec<mpsc::UnboundedSender<Phase>>);

/// Each user has a device that can resume, and perhaps another.
fn devices(surroundings: &Surroundings, seed: u64, dice: &Dice, users: &[String], mortal: bool) -> Devices {
    let naming = if mortal { Dialect::Events } else { Dialect::Channelstream };
    let others = [Dialect::Events, Dialect::Nkchat, naming, Dialect::Channels];
    let (mut devices, mut phases) = (JoinSet::new(), Vec::new());
    for user in users {
        let second = dice.pick(&others).copied().filter(|_| dice.permille(600));
        for dialect in [Some(Dialect::Channels), second].into_iter().flatten() {
            let (phase, told) = mpsc::unbounded_channel();
            let device = (phases.len(), dialect);
            devices.spawn(Device::new(surroundings.clone(), seed, user, device, told).run());
            phases.push(phase);
        }
    }
    (devices, phases)
}

fn actors(
    surroundings: &Surroundings,
    seed: u64,
    dice: &Dice,
    users: &[String],
    (table, asks, mortal): (&Table, &Arc<AtomicUsize>, bool),
) -> Vec<Actor> {
    let known: Known = Arc::new(Mutex::default());
    let numbers = numbers(table);
    let actor = |user: &String| Actor {
        world: surroundings.clone(),
        user: user.clone(),
        users: users.to_vec(),
        numbers: numbers.clone(),
        known: Arc::clone(&known),
        dice: Dice::new(seed, &format!("{user} {}", dice.below(1_000))),
        asks: Arc::clone(asks),
        mortal,
    };
    users.iter().map(actor).collect()
}

/// Lets the users do so many things, all together; each comes back to read in the end.
async fn act(actors: Vec<Actor>, deeds: u64) -> Vec<Actor> {
    let each = deeds.div_ceil(u64::try_from(actors.len()).unwrap_or(1).max(1));
    let mut acting = JoinSet::new();
    let mut readers = Vec::new();
    for actor in actors {
        readers.push(actor.clone());
        acting.spawn(actor.act(each));
    }
    while acting.join_next().await.is_some() {}
    readers
}

/// Waits until everything is delivered; says so if that does not happen.
async fn drained(stream: &Stream, queue: &Queue) -> Option<String> {
    let mut quiet = 0;
    let mut waited = 0;
    while quiet < 3 {
        time::pass(100).await;
        waited += 100;
        quiet = if stream.is_drained() && queue.is_drained() { quiet + 1 } else { 0 };
        if waited > DRAIN {
            return Some("the stream is not delivered".to_owned());
        }
    }
    None
}
