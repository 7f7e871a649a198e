//! `POST /subscribe`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::subscribe::ENDPOINT)
}
