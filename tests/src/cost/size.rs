//! How long one message takes to reach a large audience, and what it costs: at the quota that an account has, and at
//! a raised one.

use std::{fmt::Write as _, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    bill::Bill,
    crowd::{Crowd, Ear},
    meter::Used,
    page::{count, money},
    prices::Prices,
    rig::{Rig, Settings, in_virtual_time, same_luck},
};

/// Between two messages: long enough that the second is nobody's busy conversation.
const PAUSE: Duration = Duration::from_secs(60);

/// One message, told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// What it took, from its being written.
    pub used: Used,
    /// From then to the first frame and to the last.
    pub reached: [Duration; 2],
}

/// Tells an audience of so many two messages at each of these settings: the first finds it undivided. Gathering it takes
/// longest, so it is gathered once: what the settings before left behind is a longer log, and nothing else.
///
/// # Errors
/// What the program says.
pub fn tell(
    all: &[Settings],
    prices: &Prices,
    listeners: usize,
    mut told: impl FnMut(Settings, &[Told; 2]),
) -> Result<(), String> {
    let Some(first) = all.first() else { return Ok(()) };
    in_virtual_time(async {
        let ground = Rig::new(*first, prices.assumed.answers_ms).await?;
        let gathered = Crowd::gather(&ground, Ear::Channels, listeners).await?;
        for settings in all {
            let rig = ground.beside(*settings)?;
            let crowd = gathered.told_by(&rig);
            crowd.forget_division().await?;
            same_luck();
            let first = one(&rig, &crowd).await?;
            sleep(PAUSE).await;
            told(*settings, &[first, one(&rig, &crowd).await?]);
            sleep(PAUSE).await;
        }
        Ok(())
    })
}

async fn one(rig: &Rig, crowd: &Crowd<'_>) -> Result<Told, String> {
    let place = crowd.say().await?;
    let (before, began) = (rig.meter.used(), Instant::now());
    rig.deliver(&[place]).await?;
    let (first, last) = rig.gateway.span().ok_or("nobody was told")?;
    let reached = [first.duration_since(began), last.duration_since(began)];
    Ok(Told { used: rig.meter.used() - before, reached })
}

/// The settings that are compared: as the template has them, the same with a chunk for each call, and both of these for
/// an account with ten times the quota.
///
/// # Errors
/// When the template has no such parameters.
pub fn compared() -> Result<[Settings; 4], String> {
    let usual = Settings::usual()?;
    let raised = Settings {
        quota: usual.quota * 10,
        posts_per_second: usual.posts_per_second * 10,
        workers: usual.workers * 10,
        ..usual
    };
    let singly = |settings| Settings { batch: 1, ..settings };
    Ok([usual, singly(usual), raised, singly(raised)])
}

/// The head of the table.
#[must_use]
pub fn head() -> String {
    "| connections | posts a second, workers, chunks a call | message | chunks | table | RRU | posts (429s) | first frame | last frame | dollars |\n\
     |---|---|---|---|---|---|---|---|---|---|"
        .to_owned()
}

/// The two lines of one audience at one setting.
#[must_use]
pub fn lines(settings: Settings, prices: &Prices, listeners: usize, told: &[Told; 2]) -> String {
    let mut lines = String::new();
    for (which, Told { used, reached }) in ["first", "later"].into_iter().zip(told) {
        let [first, last] = reached.map(|time| format!("{:.2} s", time.as_secs_f64()));
        #[expect(clippy::cast_precision_loss, reason = "a number of connections")]
        let listeners = count(listeners as f64);
        // Writing into a string cannot fail.
        let _ = writeln!(
            lines,
            "| {listeners} | {}, {}, {} | {which} | {} | {} | {} | {} ({}) | {first} | {last} | {} |",
            count(settings.posts_per_second.into()),
            settings.workers,
            settings.batch,
            count(used.chunks),
            count(used.requests),
            count(used.reads),
            count(used.posts),
            count(used.throttled),
            money(Bill::of(prices, used).total()),
        );
    }
    lines.trim_end().to_owned()
}
