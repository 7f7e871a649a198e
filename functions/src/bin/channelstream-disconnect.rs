//! `POST /disconnect`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::disconnect::ENDPOINT)
}
