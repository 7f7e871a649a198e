//! `POST /v2/users`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::create_user::ENDPOINT)
}
