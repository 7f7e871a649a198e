//! `POST /v2/users/create_access_token`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::create_access_token::ENDPOINT)
}
