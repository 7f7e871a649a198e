//! `POST /v2/conversations/{conversation_id}/add_members`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::add_members::ENDPOINT)
}
