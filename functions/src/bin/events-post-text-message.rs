//! `POST /api/v1/rooms/{roomId}/text-messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::post_text_message::ENDPOINT)
}
