//! `GET /api/v1/rooms/{roomId}/messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::list_messages::ENDPOINT)
}
