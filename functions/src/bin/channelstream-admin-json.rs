//! `GET /admin/admin.json`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::admin_json::ENDPOINT)
}
