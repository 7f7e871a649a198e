//! `multipart/form-data` (RFC 7578): the files of an upload.

use domain::Error;

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File<'a> {
    /// What it is called, without folders; `file` where it says nothing.
    pub name: String,
    /// Its media type.
    pub mime_type: String,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The files that stand in the field `field`.
///
/// # Errors
/// [`Error::Invalid`] if the body is no form, or has no such file.
pub fn files<'a>(content_type: &str, body: &'a [u8], field: &str) -> Result<Vec<File<'a>>, Error> {
    const BROKEN: &str = "is no multipart/form-data";
    let boundary = boundary(content_type).ok_or_else(|| Error::invalid("Content-Type", BROKEN))?;
    let broken = || Error::invalid("body", BROKEN);
    let opening = [b"--", boundary.as_bytes()].concat();
    let delimiter = [b"\r\n", opening.as_slice()].concat();
    // The first delimiter may stand at the very beginning, where no line ends before it.
    let mut rest = if body.starts_with(&opening) {
        body.get(opening.len()..)
    } else {
        find(body, &delimiter).and_then(|at| body.get(at + delimiter.len()..))
    }
    .ok_or_else(broken)?;
    let mut files = Vec::new();
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n").ok_or_else(broken)?;
        let end = find(part, &delimiter).ok_or_else(broken)?;
        let (inside, after) = part.split_at(end);
        if let Some(file) = file(inside, field).ok_or_else(broken)? {
            files.push(file);
        }
        rest = after.get(delimiter.len()..).ok_or_else(broken)?;
    }
    if files.is_empty() {
        return Err(Error::invalid(field, "has no file"));
    }
    Ok(files)
}

/// The part as a file of that field; `Some(None)` if it is another field's, `None` if it is no part.
fn file<'a>(part: &'a [u8], field: &str) -> Option<Option<File<'a>>> {
    // A part without header fields begins with the empty line.
    let (head, bytes) = match part.strip_prefix(b"\r\n") {
        Some(bytes) => (&[][..], bytes),
        None => {
            let end = find(part, b"\r\n\r\n")?;
            (part.get(..end)?, part.get(end + 4..)?)
        }
    };
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition").unwrap_or_default();
    if parameter(&disposition, "name").as_deref() != Some(field) {
        return Some(None);
    }
    let named = parameter(&disposition, "filename").unwrap_or_default();
    let name = named.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|one| !one.is_control()).take(200).collect();
    let mime_type = header("content-type").filter(|text| text.is_ascii() && !text.is_empty());
    Some(Some(File {
        name: if name.is_empty() { "file".to_owned() } else { name },
        mime_type: mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        bytes,
    }))
}

/// The boundary of a form: 1 to 70 characters.
fn boundary(content_type: &str) -> Option<String> {
    let kind = content_type.split(';').next()?.trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// A parameter of a header field, without its quotes. A browser writes `%22` for a quote.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next)
            }
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if key.trim_start_matches([';', ' ', '\t']).trim_end().eq_ignore_ascii_case(name) {
            return Some(value.trim_end().replace("%22", "\""));
        }
        rest = next;
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "multipart/form-data; boundary=\"x y\"";

    #[test]
    fn files_of_one_field_are_read_and_others_left() {
        let body = b"--x y\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n\
            --x y\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a;b%22.txt\"\r\n\
            Content-Type: text/plain\r\n\r\none\r\n--x\r\ntwo\r\n\
            --x y\r\nContent-Disposition: form-data; name=files; filename=\"../../c.bin\"\r\n\r\n\r\n--x y--\r\n";
        let found = files(FORM, body, "files").unwrap();
        let told: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.mime_type.as_str(), f.bytes)).collect();
        assert_eq!(
            told,
            [
                ("a;b\".txt", "text/plain", &b"one\r\n--x\r\ntwo"[..]),
                ("c.bin", "application/octet-stream", &b""[..]),
            ]
        );
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for (kind, body) in [
            ("application/json", &b"{}"[..]),
            (FORM, b""),
            (FORM, b"--x y"),
            (FORM, b"--x y--"),
            (FORM, b"--x y\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nnever ends"),
            (FORM, b"--x y\r\nnothing\r\n--x y--"),
            ("multipart/form-data; boundary=", b"--\r\n"),
        ] {
            assert!(matches!(files(kind, body, "files"), Err(Error::Invalid { .. })), "{body:?}");
        }
    }
}
