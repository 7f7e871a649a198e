//! `GET /api/v1/room-permissions/{roomId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_room_permissions::ENDPOINT)
}
