//! `$disconnect` of the channelstream socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::socket_disconnect::ENDPOINT)
}
