//! `DELETE /v2/conversations/{conversation_id}/clear`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::clear_conversation::ENDPOINT)
}
