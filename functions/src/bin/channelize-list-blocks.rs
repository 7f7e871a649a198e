//! `GET /v2/users/blocks`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_blocks::ENDPOINT)
}
