//! `GET /channels/{channel_id}/messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::list_messages::ENDPOINT)
}
