//! `POST /admin/admin.json`

fn main() -> std::process::ExitCode {
    functions::serve(&handlers::channelstream::post_admin_json::ENDPOINT)
}
