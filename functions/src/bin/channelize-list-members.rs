//! `GET /v2/conversations/{conversation_id}/members`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_members::ENDPOINT)
}
