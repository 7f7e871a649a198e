//! `POST /v2/users/logout`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::logout::ENDPOINT)
}
