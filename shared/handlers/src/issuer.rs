//! Tokens that somebody else signs: an identity provider, whose public keys are at its JWKS URL (RFC 7517).
//!
//! Keys are fetched when the first token comes, remembered for an hour, and fetched anew for a key id that is not
//! known, at most every half minute: forged ids must not make this process call the provider. When the provider does
//! not answer, the keys that are known go on. Only asymmetric signatures are taken.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use domain::Error;
use http_body_util::{BodyExt as _, Limited};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse},
};
use tokio::{sync::Mutex, time::Instant};

use crate::auth::{REFUSED, Signed};

/// How long keys are believed without asking again.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long the provider is left alone after it was asked.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most bytes of a set of keys.
const MOST_BYTES: usize = 256 * 1024;

/// An identity provider.
pub struct Issuer {
    url: String,
    /// What its tokens must name as `iss`, and as `aud`.
    issuer: Option<String>,
    audience: Option<String>,
    http: SharedHttpConnector,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: Arc<JwkSet>,
    /// When they were fetched.
    at: Option<Instant>,
    /// When they were last asked for, with or without an answer.
    asked: Option<Instant>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.url)
    }
}

impl Issuer {
    /// A provider whose keys are at this URL. Its tokens must name the issuer and the audience, where these are given.
    #[must_use]
    pub fn new(
        url: String,
        issuer: Option<String>,
        audience: Option<String>,
        http: SharedHttpConnector,
    ) -> Self {
        Self { url, issuer, audience, http, known: Mutex::default() }
    }

    /// What makes it, by the names of the environment variables that say so.
    #[must_use]
    pub fn described(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("SWITCHBOARD_JWKS_URL", Some(&self.url)),
            ("SWITCHBOARD_TOKEN_ISSUER", self.issuer.as_deref()),
            ("SWITCHBOARD_TOKEN_AUDIENCE", self.audience.as_deref()),
        ]
    }

    /// What a token says, if the provider signed it. Whether it has ended is for the caller to see.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Busy`] where no key is known and the provider does not answer.
    pub(crate) async fn verify(&self, jwt: &str) -> Result<Signed, Error> {
        let header = jsonwebtoken::decode_header(jwt).map_err(|_malformed| REFUSED)?;
        if !is_asymmetric(header.alg) {
            return Err(REFUSED);
        }
        let key = self.key(header.kid.as_deref(), header.alg).await?;
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        let mut required = vec!["exp", "sub"];
        validation.validate_aud = self.audience.is_some();
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        let token = jsonwebtoken::decode::<Signed>(jwt, &key, &validation);
        token.map(|token| token.claims).map_err(|_refused| REFUSED)
    }

    async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Error> {
        let mut known = self.known.lock().await;
        let fresh = known.at.is_some_and(|at| at.elapsed() < REMEMBERED);
        let found = find(&known.keys, id, algorithm).is_some();
        let left_alone = known.asked.is_some_and(|asked| asked.elapsed() < PAUSE);
        if !(fresh && found || left_alone) {
            known.asked = Some(Instant::now());
            match tokio::time::timeout(PATIENCE, self.fetch()).await {
                Ok(Ok(keys)) => (known.keys, known.at) = (Arc::new(keys), Some(Instant::now())),
                Ok(Err(error)) => {
                    tracing::error!(url = self.url, error, "the issuer's keys were not fetched");
                }
                Err(_) => tracing::error!(url = self.url, "the issuer's keys took too long"),
            }
        }
        if known.at.is_none() {
            return Err(Error::Busy);
        }
        let key = find(&known.keys, id, algorithm).ok_or(REFUSED)?;
        DecodingKey::from_jwk(key).map_err(|_unusable| REFUSED)
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let request =
            http::Request::get(&self.url).header("accept", "application/json").body(SdkBody::empty());
        let request = request.map_err(|error| error.to_string())?;
        let request = HttpRequest::try_from(request).map_err(|error| error.to_string())?;
        let answer = self.http.call(request).await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        let keys: serde_json::Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let keys = keys.get("keys").and_then(serde_json::Value::as_array).ok_or("it is no set of keys")?;
        // A key of a kind that is not known here is no reason to refuse the others.
        let keys = keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
        Ok(JwkSet { keys })
    }
}

const fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// The key of that id; without an id the only key there is.
fn find<'a>(keys: &'a JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let mut fitting = keys.keys.iter().filter(|key| {
        let common = &key.common;
        let signs = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
        let named = common.key_algorithm.is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
        let public = matches!(
            key.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        signs && named && public && id.is_none_or(|id| common.key_id.as_deref() == Some(id))
    });
    let first = fitting.next()?;
    (id.is_some() || fitting.next().is_none()).then_some(first)
}
