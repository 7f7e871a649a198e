//! `POST /channels/{channel_id}/bans`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::ban_user::ENDPOINT)
}
