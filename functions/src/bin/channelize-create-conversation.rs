//! `POST /v2/conversations`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::create_conversation::ENDPOINT)
}
