//! `GET /v2/conversations/{conversation_id}/watchers`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_watchers::ENDPOINT)
}
