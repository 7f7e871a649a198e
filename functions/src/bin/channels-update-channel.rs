//! `PATCH /channels/{channel_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::update_channel::ENDPOINT)
}
