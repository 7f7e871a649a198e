//! `POST /v2/messages/forward`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::forward_messages::ENDPOINT)
}
