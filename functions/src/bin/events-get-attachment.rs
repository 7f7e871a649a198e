//! `GET /api/v1/attachments/{attachmentId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_attachment::ENDPOINT)
}
