//! `POST /v2/conversations/{conversation_id}/stop_watching`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::stop_watching::ENDPOINT)
}
