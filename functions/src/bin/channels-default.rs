//! `$default` of the channels socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::default::ENDPOINT)
}
