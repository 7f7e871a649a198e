//! `PUT /api/v1/rooms/{roomId}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::update_room::ENDPOINT)
}
