//! `GET /v2/users`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_users::ENDPOINT)
}
