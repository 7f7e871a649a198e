//! Files kept in a bucket: everything about it goes over presigned URLs, which S3 checks as Amazon wrote it down
//! ("Authenticating Requests: Using Query Parameters", Amazon S3 API reference), here with code of our own.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use functions::environment;
use handlers::{attachments::Attachments, events::upload_attachments};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::{
    attachments::{attachments, form, upload},
    browser::Browser,
    make_room, signed_in,
};
use crate::harness::{Server, http::client, within};

const KEY: &str = "the-secret-key";

/// A bucket, and how often it is still out of order.
#[derive(Debug, Default)]
struct Objects {
    kept: Mutex<BTreeMap<String, Bytes>>,
    failures: Mutex<u32>,
    room: Mutex<usize>,
}

impl Objects {
    fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// The next so many calls fail.
    fn fail(&self, times: u32) {
        *self.failures.lock().unwrap() = times;
    }

    /// No more than so many files fit.
    fn hold(&self, files: usize) {
        *self.room.lock().unwrap() = files;
    }

    fn answer(&self, request: &Request<()>, body: Bytes) -> Response<Full<Bytes>> {
        let status = |status: u16| Response::builder().status(status).body(Full::default()).unwrap();
        let parameters = parameters(request.uri().query().unwrap_or_default());
        if !is_signed(request, &parameters) {
            return status(403);
        }
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return status(503);
        }
        let name = request.uri().path().to_owned();
        let mut kept = self.kept.lock().unwrap();
        match *request.method() {
            Method::PUT if kept.len() >= *self.room.lock().unwrap() => status(400),
            Method::PUT => {
                kept.insert(name, body);
                status(200)
            }
            Method::DELETE => {
                kept.remove(&name);
                status(204)
            }
            Method::GET => match kept.get(&name) {
                Some(bytes) => Response::builder()
                    .header("content-type", &parameters["response-content-type"])
                    .header("content-disposition", &parameters["response-content-disposition"])
                    .body(bytes.clone().into())
                    .unwrap(),
                None => status(404),
            },
            _ => status(405),
        }
    }
}

/// The decoded parameters of a query.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn hash(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Whether the signature in the query is that of this request.
fn is_signed(request: &Request<()>, parameters: &BTreeMap<String, String>) -> bool {
    let Some(signature) = parameters.get("X-Amz-Signature") else { return false };
    // The query as it came, without the signature: its names are sorted when they are signed.
    let mut signed: Vec<&str> = request.uri().query().unwrap_or_default().split('&').collect();
    signed.retain(|pair| !pair.starts_with("X-Amz-Signature="));
    signed.sort_unstable();
    let host = request.headers()["host"].to_str().unwrap();
    let canonical = format!(
        "{}\n{}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD",
        request.method(),
        request.uri().path(),
        signed.join("&")
    );
    let date = &parameters["X-Amz-Date"];
    let scope = format!("{}/eu-central-1/s3/aws4_request", &date[..8]);
    if parameters["X-Amz-Credential"] != format!("key-id/{scope}") {
        return false;
    }
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(&canonical)));
    let mut key = format!("AWS4{KEY}").into_bytes();
    for part in [&date[..8], "eu-central-1", "s3", "aws4_request"] {
        key = hash(&key, part);
    }
    hex(&hash(&key, &text)) == *signature
}

/// Serves the bucket; says where.
async fn serve(objects: Arc<Objects>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let objects = Arc::clone(&objects);
            let answer = service_fn(move |request: Request<Incoming>| {
                let objects = Arc::clone(&objects);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(objects.answer(&Request::from_parts(head, ()), body))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    format!("http://{address}")
}

/// The way to the bucket, as a function in AWS makes it from its environment.
fn bucket(url: &str) -> Attachments {
    let variable = |name: &str| {
        let value = match name {
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "key-id",
            "AWS_SECRET_ACCESS_KEY" => KEY,
            "AWS_ENDPOINT_URL_S3" => url,
            environment::ATTACHMENTS_BUCKET => "files",
            name if name.starts_with("AWS_LAMBDA_") => "1",
            environment::TABLE | environment::SECRET | environment::TOKEN_KEY => "x",
            _ => return None,
        };
        Some(value.to_owned())
    };
    environment::context(&upload_attachments::ENDPOINT, variable).unwrap().attachments
}

async fn started(objects: &Arc<Objects>) -> Server {
    let url = serve(Arc::clone(objects)).await;
    Server::in_process_with(|options| options.attachments = Some(bucket(&url))).await
}

/// What a browser gets that follows the URL.
async fn follow(url: &str) -> (StatusCode, http::HeaderMap, Bytes) {
    let answer = within("a bucket's answer", client().get(url.parse().unwrap())).await.unwrap();
    let (head, body) = answer.into_parts();
    (head.status, head.headers, body.collect().await.unwrap().to_bytes())
}

/// Where the server sends a browser for a file.
async fn location(browser: &Browser, id: u64) -> String {
    let page = browser.get(&format!("/api/v1/attachments/{id}/x")).await;
    assert_eq!((page.status.as_u16(), page.headers["cache-control"].to_str().unwrap()), (302, "no-store"));
    page.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_bucket_keeps_files_and_browsers_fetch_them_there() {
    let objects = Arc::<Objects>::default();
    objects.hold(16);
    let server = started(&objects).await;
    let mut ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let eve = signed_in(&server, "eve").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let message = ann.write(room, "see").await;
    // It was out of order for a moment, which nobody notices.
    objects.fail(2);
    let files = form(&[("ü \"a\".png", "image/png", b"\x00\xff"), ("b.html", "text/html", b"<script>")]);
    upload(&mut ann, message, files).await.expect(200);
    assert_eq!(objects.count(), 2);
    let listed = attachments(&bob, room).await;
    let id = |n: usize| listed[n]["attachmentId"].as_u64().unwrap();
    let url = location(&bob, id(0)).await;
    let (status, headers, bytes) = follow(&url).await;
    assert_eq!((status.as_u16(), &bytes[..]), (200, &b"\x00\xff"[..]));
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"_ _a_.png\"; filename*=UTF-8''%C3%BC%20%22a%22%2Epng"
    );
    // The URL opens one file, as it was said.
    let other = location(&bob, id(1)).await;
    let path = |url: &str| url.split('?').next().unwrap().to_owned();
    let forged = url.replace(&path(&url), &path(&other));
    assert_eq!(follow(&forged).await.0, 403);
    assert_eq!(follow(&url.replace("image%2Fpng", "text%2Fhtml")).await.0, 403);
    assert_eq!(follow(&path(&url)).await.0, 403);
    eve.get(&format!("/api/v1/attachments/{}/x", id(0))).await.expect(403);
    ann.delete(&format!("/api/v1/attachments/{}", id(0))).await.expect(200);
    assert_eq!((follow(&url).await.0.as_u16(), objects.count()), (404, 1));
    ann.delete(&format!("/api/v1/messages/{message}")).await.expect(200);
    assert_eq!(objects.count(), 0);
    server.end().await;
}

#[tokio::test]
async fn a_bucket_that_is_out_of_order_attaches_nothing() {
    let objects = Arc::<Objects>::default();
    objects.hold(16);
    let server = started(&objects).await;
    let mut ann = signed_in(&server, "ann").await;
    let room = make_room(&server, "private", &["ann"]).await;
    let message = ann.write(room, "see").await;
    objects.fail(u32::MAX);
    let files = form(&[("a", "text/plain", b"a")]);
    upload(&mut ann, message, files.clone()).await.expect(500);
    assert!(attachments(&ann, room).await.is_empty());
    objects.fail(0);
    // Of two files one was kept when the other was not.
    objects.hold(1);
    let two = form(&[("a", "text/plain", b"a"), ("b", "text/plain", b"b")]);
    upload(&mut ann, message, two).await.expect(500);
    assert!(attachments(&ann, room).await.is_empty());
    assert_eq!(objects.count(), 0);
    upload(&mut ann, message, files).await.expect(200);
    assert_eq!((attachments(&ann, room).await.len(), objects.count()), (1, 1));
    server.end().await;
}
