//! Lives through worlds and checks each: `simulate --seeds N [--from S] [--threads T]`; `simulate --seed S` lives
//! through one and prints all that happened in it.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use clap::Parser;
use tests::simulation::{
    checker::{self, Violation},
    history::Fact,
    trigger,
    world::{self, Run},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lives through worlds and checks each.
#[derive(Debug, Parser)]
struct Arguments {
    /// Live through this world alone, and print all that happened in it.
    #[arg(long)]
    seed: Option<u64>,
    /// Live through so many worlds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Begin with this one.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// So many at once; 0: as many as there are cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Go on after a world in which something does not hold.
    #[arg(long)]
    keep_going: bool,
}

/// Facts that are printed of a world in which something does not hold.
const LAST: usize = 40;

#[derive(Default)]
struct Sums {
    worlds: AtomicU64,
    facts: AtomicU64,
    faults: AtomicU64,
    requests: AtomicU64,
    chunks: AtomicU64,
    given_up: AtomicU64,
    too_old: AtomicU64,
    expired: AtomicU64,
    failed: Mutex<Vec<u64>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return one(seed);
    }
    let began = Instant::now();
    let (next, sums) = (AtomicU64::new(arguments.from), Sums::default());
    let threads = match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        some => some,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| many(&arguments, &next, &sums));
        }
    });
    let failed = sums.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!(
        "{} worlds, {} facts, {} requests to the table, {} chunks, {} times something was given up \
         for its attempts and {} times for its age, {} items expired, \
         {} faults, {} worlds in which something does not hold; {:.1} s",
        sums.worlds.load(Relaxed),
        sums.facts.load(Relaxed),
        sums.requests.load(Relaxed),
        sums.chunks.load(Relaxed),
        sums.given_up.load(Relaxed),
        sums.too_old.load(Relaxed),
        sums.expired.load(Relaxed),
        sums.faults.load(Relaxed),
        failed.len(),
        began.elapsed().as_secs_f64(),
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(arguments: &Arguments, next: &AtomicU64, sums: &Sums) {
    loop {
        let seed = next.fetch_add(1, Relaxed);
        let stop =
            !arguments.keep_going && !sums.failed.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if seed >= arguments.from.saturating_add(arguments.seeds) || stop {
            return;
        }
        let (run, violations) = lived(seed);
        sums.worlds.fetch_add(1, Relaxed);
        sums.facts.fetch_add(u64::try_from(run.facts.len()).unwrap_or(0), Relaxed);
        sums.faults.fetch_add(run.faults, Relaxed);
        sums.requests.fetch_add(run.requests, Relaxed);
        sums.chunks.fetch_add(run.chunks, Relaxed);
        for (_, fact) in &run.facts {
            match fact {
                Fact::DeadLetter { why: trigger::AGE, .. } => sums.too_old.fetch_add(1, Relaxed),
                Fact::GivenUp { .. } | Fact::DeadLetter { .. } => sums.given_up.fetch_add(1, Relaxed),
                Fact::Expired { items } => {
                    sums.expired.fetch_add(u64::try_from(*items).unwrap_or(0), Relaxed)
                }
                _ => 0,
            };
        }
        if !violations.is_empty() {
            let mut failed = sums.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.push(seed);
            if arguments.keep_going {
                violations.iter().take(2).for_each(|one| println!("seed {seed}: {}: {}", one.rule, one.what));
            } else {
                report(seed, &run, &violations);
            }
        }
    }
}

fn lived(seed: u64) -> (Run, Vec<Violation>) {
    match world::run(seed) {
        Ok(run) => {
            let violations = checker::check(&run);
            (run, violations)
        }
        Err(error) => (Run::default(), vec![Violation::new("it ends", error)]),
    }
}

/// What does not hold, and what happened before it was seen.
fn report(seed: u64, run: &Run, violations: &[Violation]) {
    println!("seed {seed}: {} things do not hold", violations.len());
    violations.iter().take(5).for_each(|one| println!("  {}, at {:?}: {}", one.rule, one.at, one.what));
    let until = violations.iter().filter_map(|one| one.at).min().unwrap_or(u64::MAX);
    let end = run.facts.partition_point(|(at, _)| *at <= until);
    println!("the last of what happened before:");
    for (at, fact) in run.facts.iter().take(end).skip(end.saturating_sub(LAST)) {
        println!("  {at:>7} {fact}");
    }
    println!("again: cargo run --profile simulate -p tests --bin simulate -- --seed {seed}");
}

fn one(seed: u64) -> ExitCode {
    let (run, violations) = lived(seed);
    for (at, fact) in &run.facts {
        println!("{at:>7} {fact}");
    }
    for item in &run.inserted {
        println!("{item}");
    }
    println!("hash {:016x}, {} faults, {} requests to the table", run.hash(), run.faults, run.requests);
    for one in &violations {
        println!("{}, at {:?}: {}", one.rule, one.at, one.what);
    }
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
