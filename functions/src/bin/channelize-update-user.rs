//! `PUT /v2/users/{user_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::update_user::ENDPOINT)
}
