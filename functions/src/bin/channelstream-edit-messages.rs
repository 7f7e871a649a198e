//! `PATCH /message`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::edit_messages::ENDPOINT)
}
