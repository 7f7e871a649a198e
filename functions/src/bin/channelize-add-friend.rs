//! `POST /v2/users/add_friend`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::add_friend::ENDPOINT)
}
