//! `--static DIR`: a built web client, served from the same origin as the API that it uses.
//!
//! It answers what no route of the template does, to GET and HEAD: a file of the folder, `index.html` for a
//! folder, and `index.html` of the root for any other path without an extension, because such a client makes its
//! own paths. A path that begins as one of the API's own is never taken for one of those. Nothing outside of the
//! folder is served, and nothing whose name begins with a dot.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use crate::http::decoded;

/// A folder that is served.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Serves this folder.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn new(root: &Path) -> std::io::Result<Self> {
        let root = root.canonicalize()?;
        if root.is_dir() { Ok(Self { root }) } else { Err(std::io::ErrorKind::NotADirectory.into()) }
    }

    /// The answer to a request for a path, if the folder has one. `own` says that the path is a client's own to
    /// make up.
    pub(crate) async fn answer(
        &self,
        method: &Method,
        path: &str,
        own: bool,
    ) -> Option<Response<Full<Bytes>>> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let asked = relative(&decoded(path))?;
        let root = self.root.clone();
        let read = tokio::task::spawn_blocking(move || read(&root, &asked, own)).await.ok()??;
        let (name, bytes) = read;
        let length = bytes.len();
        let body = if method == Method::HEAD { Bytes::new() } else { bytes };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&name)));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Some(response)
    }
}

/// The path below the folder; none if it leads elsewhere, or to what is hidden.
fn relative(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if part.starts_with('.') || part.contains(['\\', '\0', ':']) {
            return None;
        }
        relative.push(part);
    }
    Some(relative)
}

/// The file that is meant, and its bytes.
fn read(root: &Path, asked: &Path, own: bool) -> Option<(PathBuf, Bytes)> {
    let file = |path: PathBuf| {
        let path = if path.is_dir() { path.join("index.html") } else { path };
        // A link may lead out of the folder.
        let path = path.canonicalize().ok().filter(|path| path.starts_with(root) && path.is_file())?;
        let bytes = std::fs::read(&path).ok()?;
        Some((path, Bytes::from(bytes)))
    };
    file(root.join(asked)).or_else(|| {
        let fallback = own && asked.extension().is_none();
        fallback.then(|| file(root.join("index.html"))).flatten()
    })
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for path in ["/../x", "/a/../../x", "/./x", "/.env", "/a/.git/config", "/a\\..\\x", "/c:/x", "/a\0"] {
            assert_eq!(relative(path), None, "{path}");
        }
        assert_eq!(relative("//a//b.js"), Some(PathBuf::from("a/b.js")));
        assert_eq!(relative("/"), Some(PathBuf::new()));
    }
}
