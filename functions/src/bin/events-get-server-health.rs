//! `GET /api/v1/server-health`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_server_health::ENDPOINT)
}
