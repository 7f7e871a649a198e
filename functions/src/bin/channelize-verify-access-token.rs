//! `POST /v2/users/verify_access_token`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::verify_access_token::ENDPOINT)
}
