//! `POST /unsubscribe`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::unsubscribe::ENDPOINT)
}
