//! `POST /v2/users/block`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::block_user::ENDPOINT)
}
