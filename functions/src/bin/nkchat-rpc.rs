//! `POST /nkchat/rpc`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::nkchat::rpc::ENDPOINT)
}
