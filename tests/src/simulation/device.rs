//! A user's device: it keeps a socket open in one dialect, comes back when it is cut, and where the dialect can
//! resume it resumes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::Dialect;
use handlers::invocation::SocketEvent;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    cloud::{Cloud, socket_call},
    dice::Dice,
    door::{Door, Knock, Who, everything_said},
    frames,
    gateway::{Lines, Received},
    history::{Fact, History},
    time,
    weather::Weather,
};

/// How far a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The weather is fair and everything was delivered: each device that can resumes once more.
    Last,
}

/// What all devices have to do with.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The functions.
    pub cloud: Arc<Cloud>,
    /// The same, over HTTP.
    pub door: Door,
    /// The connections.
    pub lines: Lines,
    /// What happens is noted here.
    pub history: History,
    /// What goes wrong.
    pub weather: Weather,
    /// The rooms that there are.
    pub rooms: Vec<String>,
    /// Counts sockets.
    pub sockets: Arc<std::sync::atomic::AtomicUsize>,
}

/// A device.
#[derive(Debug)]
pub struct Device {
    world: Surroundings,
    user: String,
    device: usize,
    dialect: Dialect,
    /// It asks for frames in arrays.
    arrays: bool,
    /// It has no socket, and asks again and again what there is.
    polls: bool,
    dice: Dice,
    /// Tells how far the world is. (A `watch` would wake devices in an order of its own.)
    phases: mpsc::UnboundedReceiver<Phase>,
    /// Logs of notices that it subscribes to besides the rooms.
    notices: Vec<String>,
    /// The last position of each log, where the dialect has such.
    positions: BTreeMap<String, (Value, u64)>,
    /// It subscribes again now and then to what it is subscribed to: this says when.
    again: Option<Dice>,
    /// It has been told that the world is in its last phase.
    ending: bool,
}

/// A client waits so long for an answer on its socket.
const PATIENCE: Duration = Duration::from_secs(31);

/// API Gateway ends a connection after two hours, in milliseconds,
const LONGEST: u64 = 7_200_000;
/// and after ten minutes on which nothing was said.
const IDLE: Duration = Duration::from_secs(600);

fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + IDLE
}

/// Whoever holds a subscription for longer has died, in milliseconds.
const HELD: u64 = 41_000;

/// A socket that is open.
struct Open {
    socket: usize,
    connection: String,
    received: mpsc::UnboundedReceiver<Received>,
    /// What the client waits for, until when.
    asked: Option<tokio::time::Instant>,
    barred: usize,
    /// It has said again what it subscribes to: what it heard meanwhile, it has.
    repeated: bool,
    deaf: bool,
    /// When API Gateway ends it unless something is said on it.
    idle: tokio::time::Instant,
    /// A number was left out, where one may be missed for good otherwise.
    gap: bool,
}

impl Device {
    /// A user's device.
    #[must_use]
    pub fn new(
        world: Surroundings,
        seed: u64,
        user: &str,
        (device, dialect): (usize, Dialect),
        phases: mpsc::UnboundedReceiver<Phase>,
    ) -> Self {
        let dice = Dice::new(seed, &format!("device {device}"));
        let arrays = matches!(dialect, Dialect::Channels | Dialect::Nkchat) && dice.permille(350);
        // What is asked for again and again is dear where a world lasts.
        let polls = dialect == Dialect::Channelstream && !world.weather.dawdles() && dice.permille(400);
        // Dice of their own: worlds without notices are as they were.
        // Some say again what they subscribe to, though they do already.
        let repeats = dialect == Dialect::Channels
            && Dice::new(seed, "repeats").permille(300)
            && Dice::new(seed, &format!("repeats of device {device}")).permille(600);
        let listens = dialect == Dialect::Channels
            && Dice::new(seed, "notices").permille(300)
            && Dice::new(seed, &format!("notices of device {device}")).permille(700);
        let notices = if listens { vec![format!("user:{user}"), "global".to_owned()] } else { Vec::new() };
        let (user, positions) = (user.to_owned(), BTreeMap::new());
        let again = repeats.then(|| Dice::new(seed, &format!("again by device {device}")));
        Self {
            world,
            user,
            device,
            dialect,
            arrays,
            polls,
            dice,
            phases,
            notices,
            positions,
            again,
            ending: false,
        }
    }

    /// Listens until the world is over.
    pub async fn run(mut self) {
        let mut last = false;
        loop {
            time::pass(self.world.weather.until_morning()).await;
            last |= matches!(self.phases.try_recv(), Ok(Phase::Last));
            if self.polls {
                let (socket, by) = self.poll(&mut last).await;
                self.world.history.note(Fact::Closed { socket, by });
                if by == "last" {
                    return;
                }
                time::pass(self.dice.between(20, 400)).await;
            } else if let Some(mut open) = self.open().await {
                let by = self.listen(&mut open, last).await;
                last |= self.ending;
                self.close(open, by).await;
                if by == "done" {
                    return;
                }
            } else {
                time::pass(self.dice.between(20, 400)).await;
            }
        }
    }

    /// A new number, which is noted.
    fn opening(&self) -> usize {
        let socket = self.world.sockets.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (user, device) = (self.user.clone(), self.device);
        self.world.history.note(Fact::Opening { socket, user, device, dialect: self.dialect.name() });
        socket
    }

    /// Makes a listener of Channelstream, by REST; its id.
    async fn connect(&self, socket: usize) -> Option<String> {
        let id = format!("5a928b10-4258-11ea-9c07-{socket:012}");
        let body = json!({"username": self.user, "channels": self.world.rooms, "conn_id": id});
        let knock = Knock::new("channelstream-connect", Vec::new(), body);
        let (status, _) = self.world.door.knock(Who::Signed, knock).await?;
        (status == 200).then_some(id)
    }

    /// Asks what there is until an answer is lost, and with it what was in it; or the world is over, and there is
    /// nothing more. Says as whom, and how it ended.
    async fn poll(&mut self, last: &mut bool) -> (usize, &'static str) {
        let socket = self.opening();
        let Some(id) = self.connect(socket).await else { return (socket, "impatience") };
        self.world.history.note(Fact::Listening { socket });
        loop {
            *last |= matches!(self.phases.try_recv(), Ok(Phase::Last));
            let mut knock = Knock::new("channelstream-listen", Vec::new(), Value::Null);
            knock.query.push(("conn_id", &id));
            match self.world.door.knock(Who::Signed, knock).await {
                Some((200, Value::Array(events))) if events.is_empty() && *last => return (socket, "last"),
                Some((200, frame)) => self.world.history.note(Fact::Heard { socket, frame }),
                _ => return (socket, "impatience"),
            }
        }
    }

    async fn open(&mut self) -> Option<Open> {
        let socket = self.opening();
        let connection = format!("c{socket:04}");
        let mut query = vec![("token".to_owned(), self.world.door.token(&self.user))];
        if self.dialect == Dialect::Channelstream {
            // A listener is made before there is a socket.
            query = vec![("conn_id".to_owned(), self.connect(socket).await?)];
        }
        let received = self.world.lines.come(&connection, self.dialect);
        if self.arrays {
            query.push(("batch".to_owned(), "1".to_owned()));
        }
        let mut call = socket_call(&connection, "$connect", SocketEvent::Connect);
        call.query = query;
        let reply = self.world.cloud.socket(self.dialect, call).await;
        if !reply.is_some_and(|reply| reply.status.is_success()) {
            self.world.lines.end(&connection);
            return None;
        }
        self.world.lines.open(&connection);
        let (asked, barred, repeated, deaf, idle, gap) = (None, 0, false, false, soon(), false);
        let mut open = Open { socket, connection, received, asked, barred, repeated, deaf, idle, gap };
        match self.dialect {
            Dialect::Channels => self.subscribe(&mut open),
            Dialect::Nkchat => self.say(&mut open, &everything_said(), "coreevent"),
            _ => self.world.history.note(Fact::Listening { socket }),
        }
        Some(open)
    }

    /// Sends a frame, and waits for its answer on the socket for a while.
    fn say(&self, open: &mut Open, frame: &Value, route: &str) {
        open.asked = Some(tokio::time::Instant::now() + PATIENCE);
        open.idle = soon();
        let call = socket_call(&open.connection, route, SocketEvent::Message(frame.to_string()));
        let (cloud, dialect) = (Arc::clone(&self.world.cloud), self.dialect);
        // What is heard meanwhile is heard meanwhile.
        tokio::spawn(async move { cloud.socket(dialect, call).await });
    }

    /// The logs that it subscribes to, with their topics.
    fn topics(&self) -> Vec<(String, String)> {
        let rooms = self.world.rooms.iter().map(|room| (room.clone(), format!("channel:{room}")));
        rooms.chain(self.notices.iter().map(|log| (log.clone(), log.clone()))).collect()
    }

    fn subscribe(&self, open: &mut Open) {
        let mut after = serde_json::Map::new();
        let mut channels = Vec::new();
        for (room, topic) in &self.topics() {
            let position = self.positions.get(room);
            let (socket, room) = (open.socket, room.clone());
            let had = position.map(|(_, seq)| *seq);
            let epoch = position.map(|(epoch, _)| epoch.to_string());
            self.world.history.note(Fact::Subscribing { socket, room, after: had, epoch });
            if let Some((epoch, seq)) = position {
                after.insert(topic.clone(), json!({"epoch": epoch, "seq": seq}));
            }
            channels.push(topic.clone());
        }
        let frame = json!({"action": "subscribe", "channels": channels, "after": after});
        self.say(open, &frame, "subscribe");
    }

    /// Says once more what it subscribes to, and not what it has: it is all on this socket.
    fn subscribe_again(&self, open: &mut Open) {
        let topics = self.topics();
        for (room, _) in &topics {
            let (socket, room) = (open.socket, room.clone());
            self.world.history.note(Fact::Subscribing { socket, room, after: None, epoch: None });
        }
        (open.barred, open.repeated) = (0, true);
        let channels: Vec<&String> = topics.iter().map(|(_, topic)| topic).collect();
        self.say(open, &json!({"action": "subscribe", "channels": channels}), "subscribe");
    }

    /// Listens until the socket ends; says by whom it does.
    async fn listen(&mut self, open: &mut Open, last: bool) -> &'static str {
        let cut = self.world.weather.strikes(&self.dice, self.world.weather.rates().cut * 10);
        let life = if cut { self.dice.between(1, 3_000) } else { LONGEST };
        let ends = tokio::time::Instant::now() + Duration::from_millis(life);
        loop {
            if open.gap {
                return "gap";
            }
            if last && open.asked.is_none() {
                // What comes of it comes at once: nothing is written any more.
                time::pass(500).await;
                while let Ok(received) = open.received.try_recv() {
                    if let Received::Frame(frame) = received {
                        self.heard(open, &frame);
                    }
                }
                return "done";
            }
            let until = open.asked.map_or(ends, |asked| asked.min(ends)).min(open.idle);
            tokio::select! {
                biased;
                received = open.received.recv() => match received {
                    Some(Received::Frame(frame)) => self.heard(open, &frame),
                    Some(Received::Silence) => {
                        open.deaf = true;
                        time::pass(self.dice.between(10, 5_000)).await;
                        return "silence";
                    }
                    Some(Received::Closed) | None => return "server",
                },
                // In the last phase it resumes: by another socket, if this one was well.
                Some(Phase::Last) = self.phases.recv(), if !last => {
                    self.ending = true;
                    return self.find_out(open).await;
                }
                () = tokio::time::sleep_until(until) => {
                    return if open.asked.is_some() { "impatience" } else { "cut" };
                }
            }
        }
    }

    /// A function that held one of its subscriptions, and had something left to it, may have died: what the client says
    /// next finds it out, once that function cannot live any more. Says by whom the socket ends.
    async fn find_out(&mut self, open: &mut Open) -> &'static str {
        if self.dialect != Dialect::Channels {
            return "last";
        }
        time::pass(HELD).await;
        self.say(open, &json!({"action": "ping"}), "ping");
        while let Some(until) = open.asked.filter(|_| !open.gap) {
            match tokio::time::timeout_at(until, open.received.recv()).await {
                Ok(Some(Received::Frame(frame))) => self.heard(open, &frame),
                Ok(Some(Received::Silence)) => open.deaf = true,
                Ok(Some(Received::Closed) | None) => return "server",
                Err(_) => return "impatience",
            }
        }
        if open.gap { "gap" } else { "last" }
    }

    /// Takes a frame, or an array of them.
    fn heard(&mut self, open: &mut Open, frame: &[u8]) {
        match serde_json::from_slice(frame) {
            Ok(Value::Array(frames)) if self.arrays => {
                frames.into_iter().for_each(|frame| self.heard_one(open, frame));
            }
            Ok(frame) => self.heard_one(open, frame),
            Err(_) => {}
        }
    }

    fn heard_one(&mut self, open: &mut Open, frame: Value) {
        let socket = open.socket;
        open.idle = soon();
        match self.dialect {
            Dialect::Channels => self.heard_channels(open, &frame),
            Dialect::Nkchat if frame.get("cmd").is_some_and(|cmd| cmd == "ping") => {
                let answer = json!({"result": "ok", "tid": frame.get("tid")});
                let call =
                    socket_call(&open.connection, "$default", SocketEvent::Message(answer.to_string()));
                let cloud = Arc::clone(&self.world.cloud);
                tokio::spawn(async move { cloud.socket(Dialect::Nkchat, call).await });
                return;
            }
            Dialect::Nkchat if frame.get("result").is_some_and(|result| result == "ok") => {
                open.asked = None;
                self.world.history.note(Fact::Listening { socket });
                return;
            }
            _ => {}
        }
        self.world.history.note(Fact::Heard { socket, frame });
    }

    fn heard_channels(&mut self, open: &mut Open, frame: &Value) {
        let text = |path: &str| frame.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let socket = open.socket;
        match text("/type") {
            "pong" => open.asked = None,
            "subscribed" => {
                open.asked = None;
                let positions = frame.pointer("/data/positions").and_then(Value::as_object);
                for (topic, position) in positions.into_iter().flatten() {
                    let room = topic.strip_prefix("channel:").unwrap_or(topic).to_owned();
                    let seq = position.get("seq").and_then(Value::as_u64).unwrap_or_default();
                    let recovered = position.get("recovered") == Some(&Value::Bool(true));
                    let epoch = position.get("epoch").cloned().unwrap_or_default();
                    let had = self.positions.get(&room).filter(|(had, _)| open.repeated && *had == epoch);
                    let reached = had.map_or(seq, |(_, had)| seq.max(*had));
                    self.positions.insert(room.clone(), (epoch.clone(), reached));
                    let epoch = epoch.to_string();
                    self.world.history.note(Fact::Subscribed { socket, room, seq, recovered, epoch });
                }
            }
            "error" => {
                let code = text("/data/code").to_owned();
                let topic = text("/data/channel");
                if topic.is_empty() {
                    // Of no topic: the command failed, and the socket is about to be closed.
                    return;
                }
                let room = topic.strip_prefix("channel:").unwrap_or(topic).to_owned();
                open.barred += 1;
                if open.barred == self.topics().len() {
                    // No `subscribed` follows.
                    open.asked = None;
                }
                self.world.history.note(Fact::Barred { socket, room, code });
            }
            _ => {
                let Some(seq) = frame.get("seq").and_then(Value::as_u64) else { return };
                let notices = frames::log_of(&self.user, text("/type"), frame);
                let room = notices.unwrap_or_else(|| text("/data/channel_id").to_owned());
                let epoch = frame.get("epoch").cloned().unwrap_or_default();
                let position = self.positions.entry(room).or_insert((epoch.clone(), seq));
                if position.0 != epoch {
                    // It is another conversation by now.
                    *position = (epoch, seq);
                }
                // Numbers are left out where there is nothing to be told. Where something may have been given up, who
                // sees that comes back for what is between.
                open.gap |= self.world.weather.gives_up() && open.asked.is_none() && seq > position.1 + 1;
                if !open.gap {
                    position.1 = position.1.max(seq);
                }
                let again = self.again.as_ref().is_some_and(|dice| dice.permille(120));
                if again && open.asked.is_none() && !open.gap && !self.ending {
                    self.subscribe_again(open);
                }
            }
        }
    }

    async fn close(&self, open: Open, by: &'static str) {
        let well = by == "last" && self.world.lines.is_open(&open.connection) && !open.deaf;
        let by = if by == "last" && !well { "silence" } else { by };
        self.world.history.note(Fact::Closed { socket: open.socket, by });
        self.world.lines.end(&open.connection);
        if !self.world.weather.strikes(&self.dice, self.world.weather.rates().untold) {
            let event = SocketEvent::Disconnect { code: 1001, reason: String::new() };
            let call = socket_call(&open.connection, "$disconnect", event);
            let (cloud, dialect) = (Arc::clone(&self.world.cloud), self.dialect);
            tokio::spawn(async move { cloud.socket(dialect, call).await });
        }
        time::pass(self.dice.between(1, 300)).await;
    }
}
