//! `POST /v2/users/check_relationship_status`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelize::check_relationship_status::ENDPOINT)
}
