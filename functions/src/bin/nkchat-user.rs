//! `chatuser` of the nkchat socket

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::nkchat::user::ENDPOINT)
}
