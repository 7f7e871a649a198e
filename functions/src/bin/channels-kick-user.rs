//! `POST /channels/{channel_id}/kicks`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::kick_user::ENDPOINT)
}
