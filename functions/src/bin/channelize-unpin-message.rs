//! `POST /v2/messages/{message_id}/unpin`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::unpin_message::ENDPOINT)
}
