//! `GET /v2/conversations/count`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::count_conversations::ENDPOINT)
}
