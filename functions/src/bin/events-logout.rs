//! `POST /api/v1/logout`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::logout::ENDPOINT)
}
