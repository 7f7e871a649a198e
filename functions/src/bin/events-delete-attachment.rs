//! `DELETE /api/v1/attachments/{attachmentId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::delete_attachment::ENDPOINT)
}
