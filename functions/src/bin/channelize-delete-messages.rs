//! `POST /v2/messages/delete`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::delete_messages::ENDPOINT)
}
