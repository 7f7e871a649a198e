//! the table's stream

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::delivery::announce::ENDPOINT)
}
