//! `GET /api/v1/attachments/{attachmentId}/{fileName}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::download_attachment::ENDPOINT)
}
