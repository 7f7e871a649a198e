//! `POST /v2/conversations/{conversation_id}/join`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::join_conversation::ENDPOINT)
}
