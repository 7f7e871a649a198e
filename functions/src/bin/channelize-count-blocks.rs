//! `GET /v2/users/blocks/count`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::count_blocks::ENDPOINT)
}
