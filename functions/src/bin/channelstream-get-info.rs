//! `GET /info`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::get_info::ENDPOINT)
}
