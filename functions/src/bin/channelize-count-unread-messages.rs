//! `GET /v2/messages/unread/count`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::count_unread_messages::ENDPOINT)
}
