//! `POST /channels/{channel_id}/messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::send_message::ENDPOINT)
}
