//! `GET /channels/{channel_id}/messages/{message_id}/replies`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::list_replies::ENDPOINT)
}
