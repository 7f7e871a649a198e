//! `DELETE /channels/{channel_id}/bans/{user_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::unban_user::ENDPOINT)
}
