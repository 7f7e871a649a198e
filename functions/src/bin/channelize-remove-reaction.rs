//! `POST /v2/messages/{message_id}/remove_reaction`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::remove_reaction::ENDPOINT)
}
