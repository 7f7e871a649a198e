//! `$default` of the events socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::default::ENDPOINT)
}
