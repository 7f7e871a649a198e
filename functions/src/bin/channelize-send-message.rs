//! `POST /v2/messages/send`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::send_message::ENDPOINT)
}
