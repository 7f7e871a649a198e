//! `DELETE /channels/{channel_id}`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channels::delete_channel::ENDPOINT)
}
