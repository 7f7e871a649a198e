//! `PATCH /channels/{channel_id}/members/{user_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::update_member::ENDPOINT)
}
