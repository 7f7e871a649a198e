//! `DELETE /v2/conversations/{conversation_id}/delete`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::delete_conversation::ENDPOINT)
}
