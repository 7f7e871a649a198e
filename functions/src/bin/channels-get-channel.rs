//! `GET /channels/{channel_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::get_channel::ENDPOINT)
}
