//! `POST /v2/conversations/{conversation_id}/send_typing_status`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::send_typing_status::ENDPOINT)
}
