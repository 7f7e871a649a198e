//! `PUT /v2/conversations/{conversation_id}/remove_admin`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::remove_admin::ENDPOINT)
}
