//! `POST /api/v1/login`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::login::ENDPOINT)
}
