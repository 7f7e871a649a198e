//! `--static DIR`: a web client on the same origin.

use super::{browser::Browser, signed_in};
use crate::harness::Server;

#[tokio::test]
async fn a_web_client_is_served_beside_the_api_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("client");
    std::fs::create_dir_all(client.join("assets")).unwrap();
    for (name, text) in
        [("index.html", "<main>"), ("assets/a.js", "1"), (".env", "secret"), ("../out.txt", "out")]
    {
        std::fs::write(client.join(name), text).unwrap();
    }
    std::os::unix::fs::symlink(folder.path().join("out.txt"), client.join("link.txt")).unwrap();
    let server = Server::start_with(|options| options.static_files = Some(client.clone())).await;
    let browser = Browser::new(&server, "ann");
    for (path, kind, text) in [
        ("/", "text/html; charset=utf-8", "<main>"),
        ("/index.html", "text/html; charset=utf-8", "<main>"),
        ("/assets/a.js", "text/javascript; charset=utf-8", "1"),
        ("/rooms/2", "text/html; charset=utf-8", "<main>"),
    ] {
        let page = browser.get(path).await;
        assert_eq!((page.status.as_u16(), &page.bytes[..]), (200, text.as_bytes()), "{path}");
        assert_eq!(page.headers["content-type"], kind, "{path}");
    }
    let head = browser.ask("HEAD", "/assets/a.js", "").await;
    assert_eq!((head.status.as_u16(), &head.headers["content-length"]), (200, &"1".parse().unwrap()));
    for path in ["/assets/b.js", "/.env", "/link.txt", "/%2e%2e/out.txt", "/..%2fout.txt", "/assets/%00"] {
        let page = browser.get(path).await;
        assert!(page.status == 404 && !page.bytes.starts_with(b"out"), "{path}");
    }
    // The API's own paths stay its own, right or wrong.
    browser.get("/api/v1/status").await.expect(401);
    browser.get("/api/v1/nothing").await.expect(404);
    assert_eq!(browser.get("/v2/nothing").await.json()["error"]["statusCode"], 404);
    assert_eq!(browser.ask("POST", "/rooms/2", "").await.status, 404);
    assert_eq!(browser.get("/healthz").await.status, 200);
    signed_in(&server, "ann").await.get("/api/v1/status").await.expect(200);
    server.end().await;
}
