//! Files in a bucket of S3, by presigned URLs.
//!
//! A presigned URL is all that is needed: the function follows one to put a file or to throw it away, and a
//! browser is sent to one to fetch a file, so that its bytes do not pass through Lambda. The signature is the
//! SDK's own (`aws-sigv4`); the whole client of S3 would add a megabyte to every function's zip.

use std::{fmt, time::Duration};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use bytes::Bytes;
use domain::{Error, Timestamp};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::context::Clock;

/// How long a browser may take to follow the URL of a file that it asked for.
const READ_SECONDS: u64 = 300;
/// How long the function's own calls may take until they are at S3.
const CALL_SECONDS: u64 = 60;
/// How often a call is tried before it has failed.
const TRIES: u32 = 4;
/// The pause before the second try; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// What stands in a query unchanged (RFC 3986, as AWS signs it).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A bucket of S3, and what opens it.
#[derive(Clone)]
pub struct Bucket {
    /// Where its objects are: `https://<bucket>.s3.<region>.amazonaws.com`, without a slash at the end.
    pub url: String,
    /// The region that it is in.
    pub region: String,
    /// Who signs.
    pub credentials: Credentials,
    /// The way there.
    pub http: SharedHttpConnector,
    /// The time of a signature.
    pub clock: Clock,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.url)
    }
}

impl Bucket {
    /// Keeps a file.
    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        self.call(&Method::PUT, name, bytes).await
    }

    /// Throws a file away. One that is not there is no error, in S3 too.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        self.call(&Method::DELETE, name, Bytes::new()).await
    }

    /// Where the file is for the next minutes, to whoever knows the URL; it is answered with these two fields.
    pub(super) fn url_of(&self, name: &str, content_type: &str, disposition: &str) -> Result<String, Error> {
        let value = |text: &str| utf8_percent_encode(text, QUERY).to_string();
        let query = format!(
            "response-content-disposition={}&response-content-type={}",
            value(disposition),
            value(content_type)
        );
        self.presigned(&Method::GET, &format!("/{name}?{query}"), READ_SECONDS, self.clock.now())
    }

    async fn call(&self, method: &Method, name: &str, body: Bytes) -> Result<(), Error> {
        let url = self.presigned(method, &format!("/{name}"), CALL_SECONDS, self.clock.now())?;
        let mut pause = FIRST_PAUSE;
        for tries_left in (0..TRIES).rev() {
            let failed = match self.follow(method, &url, body.clone()).await {
                Ok(status) if (200..300).contains(&status) => return Ok(()),
                Ok(status) if !matches!(status, 429 | 500..) => {
                    return Err(Error::Internal(format!("the bucket answered {status} to {method}")));
                }
                Ok(status) => format!("the bucket answered {status}"),
                Err(error) => error,
            };
            if tries_left == 0 {
                return Err(Error::Internal(format!("{method} of an attachment: {failed}")));
            }
            tracing::warn!(%method, failed, "an attachment's call is tried again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }

    async fn follow(&self, method: &Method, url: &str, body: Bytes) -> Result<u16, String> {
        let request = http::Request::builder().method(method).uri(url).header("content-length", body.len());
        let request = request.body(body.into()).map_err(|error| error.to_string())?;
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        let answered = self.http.call(request).await;
        // The error's own text: its debug form would show the URL, which is a key for a minute.
        answered.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
    }

    /// The URL of a call, signed for so long.
    fn presigned(&self, method: &Method, path: &str, seconds: u64, now: Timestamp) -> Result<String, Error> {
        let wrong = |error: &dyn fmt::Display| Error::Internal(format!("an attachment's URL: {error}"));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(seconds));
        // As S3 reads a path: once, and as it stands.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials.clone().into();
        let since = Duration::from_millis(u64::try_from(now.millis()).unwrap_or_default());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(std::time::UNIX_EPOCH + since)
            .settings(settings)
            .build()
            .map_err(|error| wrong(&error))?
            .into();
        let url = format!("{}{path}", self.url);
        let none = std::iter::empty::<(&str, &str)>();
        let request = SignableRequest::new(method.as_str(), &url, none, SignableBody::UnsignedPayload)
            .map_err(|error| wrong(&error))?;
        let (signed, _) = sign(request, &params).map_err(|error| wrong(&error))?.into_parts();
        let mut request =
            http::Request::builder().method(method).uri(&url).body(()).map_err(|error| wrong(&error))?;
        signed.apply_to_request_http1x(&mut request);
        Ok(request.uri().to_string())
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl aws_smithy_runtime_api::client::http::HttpConnector for Nobody {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Err(ConnectorError::io("refused".into())))
        }
    }

    fn bucket(url: &str) -> Bucket {
        Bucket {
            url: url.to_owned(),
            region: "us-east-1".to_owned(),
            credentials: Credentials::new(
                "AKIAIOSFODNN7EXAMPLE",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                None,
                None,
                "test",
            ),
            http: SharedHttpConnector::new(Nobody),
            clock: Clock::from_fn(|| Timestamp::from_millis(1_369_353_600_000)),
        }
    }

    /// The example of "Authenticating Requests: Using Query Parameters" in Amazon S3's API reference.
    #[test]
    fn a_url_is_signed_as_in_amazons_example() {
        let bucket = bucket("https://examplebucket.s3.amazonaws.com");
        let url = bucket.presigned(&Method::GET, "/test.txt", 86_400, bucket.clock.now()).unwrap();
        assert!(url.starts_with("https://examplebucket.s3.amazonaws.com/test.txt?"), "{url}");
        for part in [
            "X-Amz-Date=20130524T000000Z",
            "X-Amz-Expires=86400",
            "X-Amz-SignedHeaders=host",
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        ] {
            assert!(url.contains(part), "{part} is not in {url}");
        }
    }

    #[test]
    fn a_file_is_answered_with_the_fields_that_the_url_names() {
        let url =
            bucket("http://127.0.0.1:1/b").url_of("7-9-x", "text/html; a=\"b\"", "attachment; ü").unwrap();
        assert!(url.contains("/b/7-9-x?"), "{url}");
        assert!(url.contains("response-content-type=text%2Fhtml%3B%20a%3D%22b%22"), "{url}");
        assert!(url.contains("response-content-disposition=attachment%3B%20%C3%BC"), "{url}");
        assert!(url.contains("X-Amz-Expires=300"), "{url}");
    }

    #[tokio::test]
    async fn a_bucket_that_does_not_answer_is_an_error_in_the_end() {
        let error = bucket("http://127.0.0.1:1").put("a", Bytes::new()).await.unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("X-Amz"), "{error:?}");
    }
}
