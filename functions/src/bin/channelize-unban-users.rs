//! `DELETE /v2/conversations/{conversation_id}/ban`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::unban_users::ENDPOINT)
}
