//! Leaves the tables for unwinding out of the binaries that are made for Lambda: they are a seventh of a zip, and a
//! process that panics is ended without them (`docs/decisions/0025`).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=unwind.ld");
    // The profile that is built for size is the one in which a panic ends the process: of the panic strategy itself a
    // build script is told nothing.
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    if told("OPT_LEVEL") == "z" && told("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{}/unwind.ld", told("CARGO_MANIFEST_DIR"));
    }
}
