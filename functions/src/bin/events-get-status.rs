//! `GET /api/v1/status`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_status::ENDPOINT)
}
