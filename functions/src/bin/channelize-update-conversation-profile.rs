//! `PUT /v2/conversations/{conversation_id}/update_profile`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::update_conversation_profile::ENDPOINT)
}
