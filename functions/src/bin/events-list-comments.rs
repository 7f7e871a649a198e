//! `GET /api/v1/messages/{messageId}/comments`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::list_comments::ENDPOINT)
}
