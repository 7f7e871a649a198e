//! `$connect` of the channelstream socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::socket_connect::ENDPOINT)
}
