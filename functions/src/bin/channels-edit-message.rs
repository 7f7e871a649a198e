//! `PATCH /channels/{channel_id}/messages/{message_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::edit_message::ENDPOINT)
}
