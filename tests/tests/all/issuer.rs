//! Users whose tokens an identity provider signs.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handlers::issuer::Issuer;
use http::Response;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Server, socket::Socket};

const KEYS: &str = include_str!("../../fixtures/jwks/keys.json");

/// An identity provider: the keys that it shows, and how often it was asked.
#[derive(Default)]
struct Provider {
    shown: Mutex<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Provider {
    fn answer(&self) -> String {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let all: Value = serde_json::from_str(KEYS).unwrap();
        let shown = self.shown.lock().unwrap();
        let key = |key: &&Value| shown.contains(&key["kid"].as_str().unwrap());
        let mut keys: Vec<Value> = all["keys"].as_array().unwrap().iter().filter(key).cloned().collect();
        // As providers have them: a kind that is not known here, and a secret that must never be one.
        keys.push(json!({"kty": "new", "kid": "new"}));
        keys.push(json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}));
        json!({ "keys": keys }).to_string()
    }

    async fn serve(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let provider = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let provider = Arc::clone(&provider);
                let answer = service_fn(move |_| {
                    let answer = Response::new(Full::<bytes::Bytes>::from(provider.answer()));
                    async { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        url
    }
}

async fn started(url: &str) -> Server {
    let http = SharedHttpConnector::new(Connector::builder().build_http());
    let issuer = Issuer::new(url.to_owned(), Some("https://id.example".into()), Some("chat".into()), http);
    Server::in_process_with(|options| options.secrets.issuer = Some(Arc::new(issuer))).await
}

fn claims(server: &Server) -> Value {
    json!({
        "sub": "auth0|ann", "exp": server.clock.now() / 1000 + 60, "iss": "https://id.example", "aud": ["chat", "web"],
    })
}

fn signed(key: &str, kid: Option<&str>, claims: &Value) -> String {
    let (algorithm, der): (_, &[u8]) = match key {
        "one" => (Algorithm::ES256, include_bytes!("../../fixtures/jwks/one.p8")),
        "two" => (Algorithm::ES256, include_bytes!("../../fixtures/jwks/two.p8")),
        _ => (Algorithm::RS256, include_bytes!("../../fixtures/jwks/rsa.der")),
    };
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    let message =
        [json!(header), claims.clone()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let random = SystemRandom::new();
    let signature = match algorithm {
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).unwrap();
            pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
        }
        _ => {
            let pair = RsaKeyPair::from_der(der).unwrap();
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
            signature
        }
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn status(server: &Server, token: &str) -> u16 {
    let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
    server.api(headers).get("/v2/conversations").await.status
}

#[tokio::test]
async fn a_user_of_the_provider_is_a_user_everywhere() {
    let provider = Arc::new(Provider { shown: Mutex::new(vec!["one", "rsa"]), ..Provider::default() });
    let server = started(&provider.serve().await).await;
    for key in ["one", "rsa"] {
        assert_eq!(status(&server, &signed(key, Some(key), &claims(&server))).await, 200, "{key}");
    }
    let token = signed("one", Some("one"), &claims(&server));
    let url = format!("ws://{}/api/v1/events?token={token}", server.running.address);
    Socket::open("auth0|ann", url).await.unwrap().close().await;
    assert_eq!(server.server().get("/v2/users/auth0%7Cann").await.expect(200)["id"], "auth0|ann");
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1, "keys are remembered");
    // Tokens that are signed here are as good as ever.
    assert_eq!(status(&server, &server.token("bob")).await, 200);
    server.end().await;
}

#[tokio::test]
async fn what_the_provider_did_not_say_of_this_application_is_refused() {
    let provider = Arc::new(Provider { shown: Mutex::new(vec!["one", "rsa"]), ..Provider::default() });
    let server = started(&provider.serve().await).await;
    let good = claims(&server);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let ended = json!(server.clock.now() / 1000);
    for wrong in [
        with("iss", json!("https://evil.example")),
        without("iss"),
        with("aud", json!("other")),
        without("aud"),
        with("exp", ended),
        without("exp"),
        with("sub", json!("")),
        without("sub"),
    ] {
        assert_eq!(status(&server, &signed("one", Some("one"), &wrong)).await, 401, "{wrong}");
    }
    // Another key than the one it names, one that is not shown, and none named where there are several.
    for (key, kid) in [("two", Some("one")), ("rsa", Some("one")), ("two", Some("two")), ("one", None)] {
        assert_eq!(status(&server, &signed(key, kid, &good)).await, 401, "{key} as {kid:?}");
    }
    // A public key is no secret to sign with, and neither is a secret that the set shows.
    handlers::signature::install();
    for (kid, secret) in [("one", KEYS.as_bytes()), ("shared", b"secret")] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384] {
            let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
            let forged = encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(status(&server, &forged).await, 401, "{kid}");
        }
    }
    assert!(provider.asked.load(Ordering::SeqCst) <= 2, "forged ids do not make it ask again and again");
    server.end().await;
}

#[tokio::test]
async fn a_new_key_is_fetched_and_a_provider_that_is_away_is_a_refusal_for_now() {
    let provider = Arc::new(Provider { shown: Mutex::new(vec!["one"]), ..Provider::default() });
    let url = provider.serve().await;
    let server = started(&url).await;
    assert_eq!(
        status(&server, &signed("one", None, &claims(&server))).await,
        200,
        "the only key needs no name"
    );
    *provider.shown.lock().unwrap() = vec!["two"];
    // It was asked a moment ago.
    assert_eq!(status(&server, &signed("two", Some("two"), &claims(&server))).await, 401);
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
    server.end().await;
    let away = started("http://127.0.0.1:9/keys").await;
    let answer = status(&away, &signed("one", Some("one"), &claims(&away))).await;
    assert!(matches!(answer, 429 | 503), "{answer}");
    assert_eq!(status(&away, &away.token("bob")).await, 200);
    away.end().await;
}
