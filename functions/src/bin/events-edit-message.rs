//! `PUT /api/v1/messages/{messageId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::edit_message::ENDPOINT)
}
