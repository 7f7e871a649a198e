//! `unrouted`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::unrouted::ENDPOINT)
}
