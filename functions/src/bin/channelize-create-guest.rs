//! `POST /v2/users/create_guest`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::create_guest::ENDPOINT)
}
