//! `$default` of the channelstream socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::socket_default::ENDPOINT)
}
