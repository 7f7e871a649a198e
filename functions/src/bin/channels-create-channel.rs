//! `POST /channels`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::create_channel::ENDPOINT)
}
