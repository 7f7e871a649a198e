//! The function's environment, made into a `Context` once per process.
//!
//! The SDK clients are put together by hand and not by `aws-config`: in Lambda the region and the credentials
//! are in the environment and hold for the life of the process, and the chain of providers that would look
//! elsewhere costs every binary half a megabyte and every cold start half a millisecond.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use domain::Dialect;
use handlers::{
    attachments::{Attachments, Bucket},
    context::{Clock, Context, Secrets},
    delivery::{
        road::{Road, Settings},
        topic::Topics,
    },
    endpoint::{Action, Endpoint, Trigger},
    gateway::Gateway,
    issuer::Issuer,
};
use store::Store;

/// The table's name.
pub const TABLE: &str = "SWITCHBOARD_TABLE";
/// The secret that the application's server knows.
pub const SECRET: &str = "SWITCHBOARD_SECRET";
/// The key that signs user tokens, HS256.
pub const TOKEN_KEY: &str = "SWITCHBOARD_TOKEN_KEY";
/// Where the public keys of an identity provider are, whose tokens are taken too.
pub const JWKS_URL: &str = "SWITCHBOARD_JWKS_URL";
/// What the provider's tokens must name as `iss`.
pub const TOKEN_ISSUER: &str = "SWITCHBOARD_TOKEN_ISSUER";
/// What the provider's tokens must name as `aud`.
pub const TOKEN_AUDIENCE: &str = "SWITCHBOARD_TOKEN_AUDIENCE";
/// Origins that a browser may open a WebSocket from, comma-separated; none or `*`: any.
pub const ALLOWED_ORIGINS: &str = "SWITCHBOARD_ALLOWED_ORIGINS";

/// The bucket of attachments.
pub const ATTACHMENTS_BUCKET: &str = "SWITCHBOARD_ATTACHMENTS_BUCKET";
/// The folder of attachments, of a file system that functions share, where there is no bucket. Without either,
/// nothing can be attached.
pub const ATTACHMENTS: &str = "SWITCHBOARD_ATTACHMENTS";

/// Who needs a way to the bucket.
const OBJECTS: [Action; 3] = [Action::DeleteObject, Action::GetObject, Action::PutObject];

const TLS: Provider = Provider::Rustls(CryptoMode::Ring);
/// The ARN of the topic that chunks of large audiences travel by.
pub const CHUNKS: &str = "SWITCHBOARD_CHUNKS";
/// The ARN of the owner's topic.
pub const EVENTS: &str = "SWITCHBOARD_EVENTS";
/// Members and subscriptions beyond which an audience is divided.
pub const LARGE_AUDIENCE: &str = "SWITCHBOARD_LARGE_AUDIENCE";
/// How long a busy conversation's next post may wait, in milliseconds.
pub const COALESCE_MILLIS: &str = "SWITCHBOARD_COALESCE_MILLIS";
/// Posts a second of all functions together.
pub const POSTS_PER_SECOND: &str = "SWITCHBOARD_POSTS_PER_SECOND";
/// Workers that serve chunks at the same time, at most.
pub const WORKERS: &str = "SWITCHBOARD_WORKERS";

/// What Lambda itself sets, and what the runtime's crate panics without.
const LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// A variable that the function cannot do without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set, or not what it must be")]
pub struct Missing(pub String);

/// The variable with the URL of a dialect's management API: `SWITCHBOARD_MANAGEMENT_EVENTS`.
#[must_use]
pub fn management_variable(dialect: Dialect) -> String {
    format!("SWITCHBOARD_MANAGEMENT_{}", dialect.name().to_ascii_uppercase())
}

/// The context of an endpoint, in the environment that `variable` reads.
///
/// Only an endpoint that may manage connections gets clients for it, one for each dialect whose management URL
/// is set. `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL` sends DynamoDB's calls elsewhere, as in any SDK.
///
/// # Errors
/// Names the first variable that is missing. An empty one is missing: an empty secret would let everybody in.
pub fn context(endpoint: &Endpoint, variable: impl Fn(&str) -> Option<String>) -> Result<Context, Missing> {
    let optional = |name: &str| variable(name).filter(|value| !value.is_empty());
    let required = |name: &str| optional(name).ok_or_else(|| Missing(name.to_owned()));
    for name in LAMBDA {
        required(name)?;
    }
    let region = Region::new(required("AWS_REGION")?);
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        optional("AWS_SESSION_TOKEN"),
        None,
        "LambdaEnvironment",
    );
    let http = aws_smithy_http_client::Builder::new().tls_provider(TLS).build_https();
    let mut table = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone())
        .credentials_provider(credentials.clone())
        .timeout_config(timeouts())
        .http_client(http.clone());
    table.set_endpoint_url(optional("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| optional("AWS_ENDPOINT_URL")));
    let mut gateways = BTreeMap::new();
    if endpoint.access.contains(&Action::ManageConnections) {
        for dialect in Dialect::ALL {
            if let Some(url) = optional(&management_variable(dialect)) {
                gateways.insert(dialect, management_client(url, region.clone(), credentials.clone(), &http));
            }
        }
    }
    let attachments = match (optional(ATTACHMENTS_BUCKET), optional(ATTACHMENTS)) {
        (Some(bucket), _) if endpoint.access.iter().any(|action| OBJECTS.contains(action)) => {
            let elsewhere = optional("AWS_ENDPOINT_URL_S3").or_else(|| optional("AWS_ENDPOINT_URL"));
            Attachments::Bucket(attachments_bucket(&bucket, elsewhere, &region, credentials.clone()))
        }
        (Some(_), _) | (None, None) => Attachments::Nowhere,
        (None, Some(folder)) => Attachments::Folder(folder.into()),
    };
    let mut topics = Topics::default();
    let publishes = |action| endpoint.access.contains(&action);
    if publishes(Action::PublishChunks) || publishes(Action::PublishEvents) {
        topics.chunks = optional(CHUNKS).filter(|_| publishes(Action::PublishChunks));
        topics.events = optional(EVENTS).filter(|_| publishes(Action::PublishEvents));
        let elsewhere = optional("AWS_ENDPOINT_URL_SNS").or_else(|| optional("AWS_ENDPOINT_URL"));
        topics.client = Some(topic_client(elsewhere, region.clone(), credentials.clone(), &http));
    }
    Ok(Context {
        road: Road::new(settings(endpoint, optional)?, topics),
        store: Store::new(aws_sdk_dynamodb::Client::from_conf(table.build()), required(TABLE)?),
        gateway: Gateway::Api(gateways),
        attachments,
        secrets: Secrets {
            server: required(SECRET)?,
            token_key: required(TOKEN_KEY)?,
            issuer: optional(JWKS_URL).map(|url| {
                let connector = aws_smithy_http_client::Connector::builder().tls_provider(TLS).build();
                let http = SharedHttpConnector::new(connector);
                Arc::new(Issuer::new(url, optional(TOKEN_ISSUER), optional(TOKEN_AUDIENCE), http))
            }),
        },
        clock: Clock::system(),
        allowed_origins: origins(&optional(ALLOWED_ORIGINS).unwrap_or_default()),
    })
}

/// Below an endpoint of its own a bucket is a folder; in AWS it is a host.
fn attachments_bucket(
    bucket: &str,
    elsewhere: Option<String>,
    region: &Region,
    credentials: Credentials,
) -> Bucket {
    let url = match elsewhere {
        Some(url) => format!("{}/{bucket}", url.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
    };
    let http = aws_smithy_http_client::Connector::builder().tls_provider(TLS).build();
    Bucket {
        url,
        region: region.to_string(),
        credentials,
        http: SharedHttpConnector::new(http),
        clock: Clock::system(),
    }
}

/// A call that is never answered, on a connection that died while the function slept, is made again: within the 10 s that a
/// function has. Without this the SDK waits for ever.
fn timeouts() -> TimeoutConfig {
    let seconds = Duration::from_secs;
    TimeoutConfig::builder().operation_attempt_timeout(seconds(3)).operation_timeout(seconds(8)).build()
}

/// The SDK's retries are off: the delivery retries within its own deadline, and a 429 must reach it at once.
fn management_client(
    url: String,
    region: Region,
    credentials: Credentials,
    http: &SharedHttpClient,
) -> aws_sdk_apigatewaymanagement::Client {
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(aws_sdk_apigatewaymanagement::config::BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .http_client(http.clone())
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_apigatewaymanagement::Client::from_conf(config)
}

/// Publishing retries by itself what was not taken.
fn topic_client(
    elsewhere: Option<String>,
    region: Region,
    credentials: Credentials,
    http: &SharedHttpClient,
) -> aws_sdk_sns::Client {
    let mut config = aws_sdk_sns::Config::builder()
        .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .timeout_config(timeouts())
        .http_client(http.clone());
    config.set_endpoint_url(elsewhere);
    aws_sdk_sns::Client::from_conf(config.build())
}

/// What of the road is set. The posts of a second are shared: three quarters by the workers of the queue, as many as
/// there may be at once; a quarter is for who reads the stream.
///
/// # Errors
/// Names a variable that is no number.
pub fn settings(endpoint: &Endpoint, optional: impl Fn(&str) -> Option<String>) -> Result<Settings, Missing> {
    let number = |name: &str, otherwise: u32| match optional(name) {
        Some(text) => text.parse().map_err(|_not_a_number| Missing(name.to_owned())),
        None => Ok(otherwise),
    };
    let usual = Settings::default();
    let posts = number(POSTS_PER_SECOND, 0)?;
    let workers = number(WORKERS, 1)?.max(1);
    let share = match endpoint.trigger {
        Trigger::Queue => posts.saturating_mul(3) / 4 / workers,
        _ => posts / 4,
    };
    Ok(Settings {
        large_audience: usize::try_from(number(LARGE_AUDIENCE, 0)?)
            .ok()
            .filter(|most| *most > 0)
            .unwrap_or(usual.large_audience),
        coalesce: Duration::from_millis(number(COALESCE_MILLIS, 0)?.into()),
        // A share of nothing would be no limit.
        posts_per_second: if posts == 0 { 0 } else { share.max(1) },
    })
}

fn origins(list: &str) -> Vec<String> {
    let origins: Vec<String> =
        list.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
    if origins.iter().any(|origin| origin == "*") { Vec::new() } else { origins }
}

#[cfg(test)]
mod tests {
    use handlers::{
        endpoint::Reads,
        invocation::{HttpReply, Reply},
    };

    use super::*;

    const POSTING: Endpoint = Endpoint {
        name: "fan-out",
        dialect: None,
        trigger: Trigger::Stream(Reads::All),
        access: &[Action::Query, Action::ManageConnections],
        handler: |_, _| Box::pin(async { Reply::Http(HttpReply::empty(http::StatusCode::OK)) }),
    };

    fn lambda(name: &str) -> Option<String> {
        let value = match name {
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN" => "x",
            "AWS_LAMBDA_RUNTIME_API" => "127.0.0.1:9001",
            "AWS_LAMBDA_FUNCTION_NAME" => "fan-out",
            "AWS_LAMBDA_FUNCTION_VERSION" => "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" => "512",
            TABLE => "switchboard-Table-1",
            SECRET => "s3cret",
            TOKEN_KEY => "k3y",
            ALLOWED_ORIGINS => "https://a.example, https://b.example",
            "SWITCHBOARD_MANAGEMENT_EVENTS" => "https://x.execute-api.eu-central-1.amazonaws.com/live",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn knows(context: &Context, dialect: Dialect) -> bool {
        matches!(&context.gateway, Gateway::Api(clients) if clients.contains_key(&dialect))
    }

    #[test]
    fn a_context_has_what_the_environment_says() {
        let context = context(&POSTING, lambda).unwrap();
        assert_eq!(context.secrets.server, "s3cret");
        assert_eq!(context.secrets.token_key, "k3y");
        assert_eq!(context.allowed_origins, ["https://a.example", "https://b.example"]);
        assert!(knows(&context, Dialect::Events));
        assert!(!knows(&context, Dialect::Nkchat));
    }

    #[test]
    fn only_an_endpoint_that_manages_connections_has_clients_for_it() {
        let reading = Endpoint { access: &[Action::Query], ..POSTING };
        let context = context(&reading, lambda).unwrap();
        assert!(!knows(&context, Dialect::Events));
    }

    #[test]
    fn only_an_endpoint_that_may_use_the_bucket_knows_it() {
        let with = |name: &str| if name == ATTACHMENTS_BUCKET { Some("files".into()) } else { lambda(name) };
        let reading = Endpoint { access: &[Action::GetObject], ..POSTING };
        let bucket = |attachments: Attachments| match attachments {
            Attachments::Bucket(bucket) => Some(bucket.url),
            _ => None,
        };
        let in_aws = context(&reading, with).unwrap().attachments;
        assert_eq!(bucket(in_aws).as_deref(), Some("https://files.s3.eu-central-1.amazonaws.com"));
        let local = |name: &str| match name {
            "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:4566".into()),
            _ => with(name),
        };
        let elsewhere = context(&reading, local).unwrap().attachments;
        assert_eq!(bucket(elsewhere).as_deref(), Some("http://127.0.0.1:4566/files"));
        assert!(matches!(context(&POSTING, with).unwrap().attachments, Attachments::Nowhere));
    }

    #[test]
    fn a_variable_that_is_empty_is_missing() {
        let of_the_sdk = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        for name in LAMBDA.into_iter().chain(of_the_sdk).chain([TABLE, SECRET, TOKEN_KEY]) {
            let without = |asked: &str| if asked == name { Some(String::new()) } else { lambda(asked) };
            assert_eq!(context(&POSTING, without).unwrap_err(), Missing(name.to_owned()));
        }
    }

    #[test]
    fn the_posts_of_a_second_are_shared_by_all_who_post() {
        let with = |trigger, posts: &'static str| {
            let endpoint = Endpoint { trigger, ..POSTING };
            let variable = move |name: &str| match name {
                POSTS_PER_SECOND => Some(posts.to_owned()),
                WORKERS => Some("10".to_owned()),
                COALESCE_MILLIS => Some("500".to_owned()),
                name => lambda(name),
            };
            super::context(&endpoint, variable).map(|context| context.road.settings)
        };
        let reader = with(Trigger::Stream(Reads::All), "8000").unwrap();
        let worker = with(Trigger::Queue, "8000").unwrap();
        assert_eq!((reader.posts_per_second, worker.posts_per_second), (2_000, 600));
        assert!(reader.posts_per_second + 10 * worker.posts_per_second <= 8_000);
        assert_eq!((reader.large_audience, reader.coalesce.as_millis()), (500, 500));
        assert_eq!(
            with(Trigger::Queue, "3").unwrap().posts_per_second,
            1,
            "a share of nothing is not no limit"
        );
        assert_eq!(with(Trigger::Queue, "many").unwrap_err(), Missing(POSTS_PER_SECOND.to_owned()));
    }

    #[test]
    fn only_an_endpoint_that_publishes_has_its_topic() {
        let topics = |access: &'static [Action]| {
            let variable = |name: &str| match name {
                CHUNKS | EVENTS => Some(format!("arn:{name}")),
                name => lambda(name),
            };
            super::context(&Endpoint { access, ..POSTING }, variable).unwrap().road.topics
        };
        let fan_out = topics(&[Action::PublishChunks]);
        assert!(fan_out.client.is_some() && fan_out.chunks.is_some() && fan_out.events.is_none());
        let announce = topics(&[Action::PublishEvents]);
        assert!(announce.client.is_some() && announce.chunks.is_none() && announce.events.is_some());
        assert!(topics(&[Action::GetItem]).client.is_none());
    }

    #[test]
    fn a_star_allows_any_origin() {
        assert_eq!(origins(""), Vec::<String>::new());
        assert_eq!(origins("https://a.example,*"), Vec::<String>::new());
    }
}
