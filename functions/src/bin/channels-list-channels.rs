//! `GET /channels`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::list_channels::ENDPOINT)
}
