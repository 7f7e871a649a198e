//! `POST /v2/users/remove_friend`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::remove_friend::ENDPOINT)
}
