//! `GET /channels/{channel_id}/members`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::list_members::ENDPOINT)
}
