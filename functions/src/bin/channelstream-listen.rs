//! `GET /listen`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::listen::ENDPOINT)
}
