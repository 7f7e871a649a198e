//! `POST /v2/messages/{message_id}/pin`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::pin_message::ENDPOINT)
}
