//! `PUT /v2/conversations/{conversation_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::update_conversation::ENDPOINT)
}
