//! `PUT /v2/conversations/{conversation_id}/add_admin`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::add_admin::ENDPOINT)
}
