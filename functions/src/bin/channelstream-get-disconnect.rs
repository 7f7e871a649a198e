//! `GET /disconnect`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::get_disconnect::ENDPOINT)
}
