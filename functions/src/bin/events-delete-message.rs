//! `DELETE /api/v1/messages/{messageId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::delete_message::ENDPOINT)
}
