//! `GET /api/v1/users/{userId}/avatar.jpg`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::events::get_user_avatar::ENDPOINT)
}
