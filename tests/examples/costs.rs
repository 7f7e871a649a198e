//! Prints `docs/costs.md`: what calls, deliveries and a month cost, counted and priced.
//!
//! ```sh
//! cargo run -p tests --example costs
//! UPDATE_GOLDEN=1 cargo test -p tests costs    # writes the page
//! ```

fn main() -> Result<(), String> {
    print!("{}", tests::cost::page::page()?);
    Ok(())
}
