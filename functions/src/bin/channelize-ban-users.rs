//! `POST /v2/conversations/{conversation_id}/ban`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::ban_users::ENDPOINT)
}
