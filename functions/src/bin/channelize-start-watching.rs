//! `POST /v2/conversations/{conversation_id}/start_watching`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::start_watching::ENDPOINT)
}
