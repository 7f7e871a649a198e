//! `GET /api/v1/rooms/{roomId}/avatar.jpg`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_room_avatar::ENDPOINT)
}
