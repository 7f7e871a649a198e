//! `POST /v2/conversations/{conversation_id}/leave`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::leave_conversation::ENDPOINT)
}
