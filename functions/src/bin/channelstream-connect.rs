//! `POST /connect`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::connect::ENDPOINT)
}
