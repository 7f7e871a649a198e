//! the queue of chunks

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::delivery::deliver::ENDPOINT)
}
