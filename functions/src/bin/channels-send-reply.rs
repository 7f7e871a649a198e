//! `POST /channels/{channel_id}/messages/{message_id}/replies`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::send_reply::ENDPOINT)
}
