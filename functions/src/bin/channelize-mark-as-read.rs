//! `PUT /v2/conversations/{conversation_id}/mark_as_read`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::mark_as_read::ENDPOINT)
}
