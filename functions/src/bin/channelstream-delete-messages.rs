//! `DELETE /message`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::delete_messages::ENDPOINT)
}
