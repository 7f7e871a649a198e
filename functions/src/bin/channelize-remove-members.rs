//! `POST /v2/conversations/{conversation_id}/remove_members`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::remove_members::ENDPOINT)
}
