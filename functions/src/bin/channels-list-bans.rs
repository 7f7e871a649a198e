//! `GET /channels/{channel_id}/bans`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::list_bans::ENDPOINT)
}
