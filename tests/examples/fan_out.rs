//! How long one message takes to reach a thousand, a hundred thousand and a million connections, and what it costs.
//!
//! ```sh
//! cargo run --profile runner -p tests --example fan_out              # a thousand and a hundred thousand
//! cargo run --profile runner -p tests --example fan_out -- 1000000   # seven minutes, and 1.2 GB
//! ```
//!
//! The real functions divide the audience, send and serve its chunks; the table, the topic, the queue and
//! `@connections` answer in virtual time, after what `docs/prices.json` assumes, and `@connections` refuses what is
//! beyond the quota. The functions' own CPU time is not in the times, but in the dollars.

use std::error::Error;

use tests::cost::{prices::Prices, size};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse()).collect::<Result<Vec<usize>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![1_000, 100_000];
    }
    let prices = Prices::read()?;
    println!("{}", size::head());
    for listeners in sizes {
        let all = size::compared()?;
        // With so many chunks it makes no difference how many of them a call gets.
        let usual = all.into_iter().filter(|one| listeners < 500_000 || one.batch > 1);
        size::tell(&usual.collect::<Vec<_>>(), &prices, listeners, |settings, told| {
            println!("{}", size::lines(settings, &prices, listeners, told));
        })?;
    }
    Ok(())
}
