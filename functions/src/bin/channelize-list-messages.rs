//! `GET /v2/conversations/{conversation_id}/messages`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_messages::ENDPOINT)
}
