//! `POST /v2/messages/delete_for_everyone`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::delete_messages_for_everyone::ENDPOINT)
}
