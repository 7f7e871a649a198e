//! What goes wrong in a world, and how often: chosen by the seed, so that some worlds have much of one evil and
//! some have a little of all. At the end of every world the weather clears.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use super::{dice::Dice, time};

/// How long before everybody wakes functions can be called again, in milliseconds.
const BEFORE_DAWN: u64 = 60_000;

/// How often something happens, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// The table throttles, and has done nothing.
    pub throttled: u64,
    /// Another transaction holds the item.
    pub conflict: u64,
    /// A request to the table is never answered, and was not done.
    pub lost_before: u64,
    /// A request to the table is never answered, and was done.
    pub lost_after: u64,
    /// The table answers 500, before or after it was done.
    pub broken: u64,
    /// An answer of the table takes long.
    pub slow: u64,
    /// A Query ends early, with a key to go on from.
    pub short_page: u64,
    /// Some items of a batch are left unprocessed.
    pub unprocessed: u64,
    /// A function is killed at some await.
    pub killed: u64,
    /// A function does all, and its answer is lost.
    pub answer_lost: u64,
    /// A batch of the stream that was delivered comes again.
    pub again: u64,
    /// The records of a batch come in another order, each item's own kept.
    pub shuffled: u64,
    /// A shard of the stream is split.
    pub split: u64,
    /// A post to a connection is answered 429 or 5xx.
    pub later: u64,
    /// A connection takes nothing for a while.
    pub stuck: u64,
    /// A connection takes frames that nobody receives.
    pub deaf: u64,
    /// A connection is cut.
    pub cut: u64,
    /// A `$disconnect` is never told.
    pub untold: u64,
    /// A batch of the stream that is to come again does so only after more than five minutes.
    pub stalled: u64,
    /// The topic of chunks takes nothing for seconds.
    pub outage: u64,
    /// A message to the topic is not taken.
    pub unpublished: u64,
    /// A call to the topic is never answered; was it done?
    pub publish_lost: u64,
    /// A chunk takes seconds from the topic into the queue.
    pub late: u64,
    /// A chunk that was delivered is not deleted, and comes again.
    pub undeleted: u64,
    /// A worker of the queue is killed at some await.
    pub unserved: u64,
    /// Whoever serves a chunk is killed, each time: in the end it is given up.
    pub cursed: u64,
    /// Whoever is brought a record of the stream is killed, each time: in the end it is a dead letter.
    pub doomed: u64,
}

/// The weather of one world.
#[derive(Debug, Clone)]
pub struct Weather {
    rates: Rates,
    leisurely: bool,
    /// How often an item whose time is over is removed; none: never.
    expires: Option<u64>,
    /// When everybody sleeps, from and to.
    night: (u64, u64),
    /// Whether the stream's function cannot be called either, until shortly before everybody wakes.
    standstill: bool,
    fair: Arc<AtomicBool>,
    storms: Arc<AtomicU64>,
}

impl Weather {
    /// The weather that the seed brings.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let dice = Dice::new(seed, "weather");
        // One world in sixteen has none: what fails there is no fault's doing.
        let calm = dice.below(16) == 0;
        let rate = |most: u64| if calm || dice.below(5) < 2 { 0 } else { dice.between(1, most) };
        let mut rates = Rates {
            throttled: rate(40),
            conflict: rate(60),
            lost_before: rate(15),
            lost_after: rate(25),
            broken: rate(15),
            slow: rate(40),
            short_page: rate(250),
            unprocessed: rate(200),
            killed: rate(60),
            answer_lost: rate(60),
            again: rate(250),
            shuffled: rate(600),
            split: rate(100),
            later: rate(120),
            stuck: rate(10),
            deaf: rate(12),
            cut: rate(12),
            untold: rate(500),
            stalled: rate(60),
            outage: 0,
            unpublished: rate(150),
            publish_lost: rate(80),
            late: rate(200),
            undeleted: rate(120),
            unserved: if dice.below(4) == 0 { rate(650) } else { rate(100) },
            cursed: if dice.below(3) == 0 { rate(200) } else { 0 },
            doomed: 0,
        };
        let storms = Arc::new(AtomicU64::new(0));
        let leisurely = dice.below(40) == 0;
        rates.outage = if calm || dice.below(3) > 0 { 0 } else { dice.between(10, 120) };
        // What came later has dice of its own: worlds without it are as they were.
        let dice = Dice::new(seed, "what is lost and what is over");
        let some = |one_in: u64| !calm && dice.below(one_in) == 0;
        rates.doomed = if some(6) { dice.between(5, 120) } else { 0 };
        let expires = some(3).then(|| dice.between(1, 1_000));
        let hours = dice.pick(&[3, 30, 60]).copied().unwrap_or(3);
        let dusk = dice.between(200, 1_500);
        let night = if some(24) { (dusk, dusk + hours * 3_600_000) } else { (0, 0) };
        let standstill = night.1 > 0 && some(2);
        Self { rates, leisurely, expires, night, standstill, fair: Arc::new(AtomicBool::new(true)), storms }
    }

    /// How often what happens now; never, while it is fair.
    #[must_use]
    pub fn rates(&self) -> Rates {
        if self.fair.load(Relaxed) { Rates::default() } else { self.rates }
    }

    /// Whether something may be given up in this world: then who sees a gap in the numbers has to come back for it.
    #[must_use]
    pub fn gives_up(&self) -> bool {
        self.rates.cursed > 0 || self.dooms()
    }

    /// Whether records of the stream may be given up.
    #[must_use]
    pub fn dooms(&self) -> bool {
        self.rates.doomed > 0 || self.standstill
    }

    /// For how many milliseconds the stream's function cannot be called: in some nights, until shortly before their end.
    #[must_use]
    pub fn until_called(&self) -> u64 {
        if self.standstill { self.until_morning().saturating_sub(BEFORE_DAWN) } else { 0 }
    }

    /// How many in a thousand of the items whose time is over are removed, each time somebody looks; none if nobody does.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// For how many milliseconds everybody sleeps; none, while they are awake, and in fair weather.
    #[must_use]
    pub fn until_morning(&self) -> u64 {
        let (dusk, dawn) = self.night;
        let now = time::millis();
        if now < dusk || self.is_fair() { 0 } else { dawn.saturating_sub(now) }
    }

    /// Whether this world lasts: what is to come again comes after minutes.
    #[must_use]
    pub fn dawdles(&self) -> bool {
        let night = self.night.1 > 0;
        night || self.gives_up() || self.leisurely || self.rates.stalled > 0 || self.rates.unserved > 0
    }

    /// Whether its users take their time: hours, in which connections grow old.
    #[must_use]
    pub fn is_leisurely(&self) -> bool {
        self.leisurely
    }

    /// Lets it rage, or clears it.
    pub fn set_fair(&self, fair: bool) {
        self.fair.store(fair, Relaxed);
    }

    /// Whether nothing goes wrong now.
    #[must_use]
    pub fn is_fair(&self) -> bool {
        self.fair.load(Relaxed)
    }

    /// Throws for one evil, and counts it if it strikes.
    #[must_use]
    pub fn strikes(&self, dice: &Dice, chance: u64) -> bool {
        let strikes = dice.permille(chance);
        if strikes {
            self.storms.fetch_add(1, Relaxed);
        }
        strikes
    }

    /// How often anything went wrong.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.storms.load(Relaxed)
    }
}
