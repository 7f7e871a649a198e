//! `GET /api/v1/logout`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::logout_by_get::ENDPOINT)
}
