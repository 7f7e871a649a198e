//! `GET /v2/conversations/{conversation_id}/messages/count`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::count_messages::ENDPOINT)
}
