//! `POST /v2/messages/broadcast`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::broadcast_messages::ENDPOINT)
}
