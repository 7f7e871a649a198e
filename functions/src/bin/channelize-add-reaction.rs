//! `POST /v2/messages/{message_id}/add_reaction`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::add_reaction::ENDPOINT)
}
