//! `POST /v2/users/login`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::login::ENDPOINT)
}
