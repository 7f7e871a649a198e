//! `GET /v2/users/{user_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::get_user::ENDPOINT)
}
