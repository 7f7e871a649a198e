//! `POST /api/v1/messages/{messageId}/attachments`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::upload_attachments::ENDPOINT)
}
