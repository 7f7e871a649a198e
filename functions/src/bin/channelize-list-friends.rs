//! `GET /v2/users/friends`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_friends::ENDPOINT)
}
