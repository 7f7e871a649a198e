//! `POST /channels/{channel_id}/members`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::add_member::ENDPOINT)
}
