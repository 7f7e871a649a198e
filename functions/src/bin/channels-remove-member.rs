//! `DELETE /channels/{channel_id}/members/{user_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::remove_member::ENDPOINT)
}
