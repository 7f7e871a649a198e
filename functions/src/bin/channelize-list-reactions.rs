//! `GET /v2/messages/{message_id}/reactions`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::list_reactions::ENDPOINT)
}
