//! `POST /v2/users/unblock`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::unblock_user::ENDPOINT)
}
