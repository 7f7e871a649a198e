//! `POST /user_state`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::user_state::ENDPOINT)
}
