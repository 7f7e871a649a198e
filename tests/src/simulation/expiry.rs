//! What becomes of items whose time to live is over: DynamoDB removes each at some later time, or not at all while a world
//! lasts. Who reads one that still stands must not take it for alive, and who misses one that is gone must do without.
//!
//! The records of the removals are in the stream, and the trigger's filter lets none of them through.

use std::sync::Arc;

use super::{
    dice::Dice,
    history::{Fact, History},
    table::Table,
    time,
    weather::Weather,
};

/// The longest pause between two rounds, in milliseconds: at a time when something is done, and when all are asleep.
const PAUSE: [u64; 2] = [20_000, 7_200_000];

/// Removes what it likes of what is over, for as long as it is polled.
pub async fn run(seed: u64, table: Arc<Table>, weather: Weather, history: History) {
    let dice = Dice::new(seed, "expiry");
    let Some(rate) = weather.expires() else { return };
    loop {
        let asleep = weather.until_morning() > 0;
        time::pass(dice.between(100, if asleep { PAUSE[1] } else { PAUSE[0] })).await;
        let gone = table.expire(|| dice.permille(rate));
        if gone > 0 {
            history.note(Fact::Expired { items: gone });
        }
    }
}
