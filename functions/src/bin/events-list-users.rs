//! `GET /api/v1/users`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::list_users::ENDPOINT)
}
