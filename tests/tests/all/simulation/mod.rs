//! Worlds in which everything that can go wrong does, in small number; `simulate` lives through many more. And the
//! checker itself: each of its rules sees what breaks it.

mod bad;

use tests::simulation::{checker, world};

/// Worlds of a test run. CI lives through ten thousand.
const WORLDS: std::ops::Range<u64> = 1..51;

#[test]
fn fifty_worlds_hold_what_is_promised() {
    let mut faults = 0;
    for seed in WORLDS {
        let run = world::run(seed).unwrap();
        let violations = checker::check(&run);
        assert_eq!(violations, [], "again: cargo run -p tests --bin simulate -- --seed {seed}");
        faults += run.faults;
    }
    assert!(faults > 500, "only {faults} faults: the weather is too fair to say anything");
}

#[test]
fn a_world_is_the_same_again() {
    for seed in [3, 22, 140] {
        let (once, again) = (world::run(seed).unwrap(), world::run(seed).unwrap());
        let lines = |run: &world::Run| -> Vec<String> {
            run.facts.iter().map(|(at, fact)| format!("{at} {fact}")).collect()
        };
        assert_eq!(lines(&once), lines(&again));
        assert_eq!(once.hash(), again.hash());
    }
    assert_ne!(world::run(3).unwrap().hash(), world::run(4).unwrap().hash());
}

/// The worlds' own table answers as the emulator does, whatever is asked.
#[test]
fn the_table_of_a_world_answers_as_the_emulator_does() {
    for seed in WORLDS.step_by(10) {
        let (own, compared) = (world::run(seed).unwrap(), world::compared(seed).unwrap());
        assert!(compared.requests > 100, "{seed}: {} requests", compared.requests);
        assert_eq!(own.hash(), compared.hash());
    }
}
