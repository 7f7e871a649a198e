//! `POST /message`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::send_messages::ENDPOINT)
}
