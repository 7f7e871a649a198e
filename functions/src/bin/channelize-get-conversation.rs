//! `GET /v2/conversations/{conversation_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::get_conversation::ENDPOINT)
}
