//! `POST /info`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::info::ENDPOINT)
}
