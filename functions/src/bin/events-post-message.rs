//! `POST /api/v1/rooms/{roomId}/messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::post_message::ENDPOINT)
}
