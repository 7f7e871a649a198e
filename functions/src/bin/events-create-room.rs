//! `POST /api/v1/rooms`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::create_room::ENDPOINT)
}
