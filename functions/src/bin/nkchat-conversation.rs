//! `chatconversation` of the nkchat socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::nkchat::conversation::ENDPOINT)
}
