//! `GET /api/v1/rooms`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::list_rooms::ENDPOINT)
}
