//! `PUT /v2/conversations/{conversation_id}/update_settings`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::update_conversation_settings::ENDPOINT)
}
