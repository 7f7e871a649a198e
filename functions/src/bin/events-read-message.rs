//! `POST /api/v1/messages/{messageId}/read`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::read_message::ENDPOINT)
}
