//! `POST /channel_config`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::channel_config::ENDPOINT)
}
