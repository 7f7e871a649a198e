//! `POST /channels/{channel_id}/typing`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::send_typing::ENDPOINT)
}
