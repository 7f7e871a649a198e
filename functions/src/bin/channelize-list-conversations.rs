//! `GET /v2/conversations`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_conversations::ENDPOINT)
}
