//! `GET /v2/users/friends/count`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::count_friends::ENDPOINT)
}
