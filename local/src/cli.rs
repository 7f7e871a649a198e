//! The command line: `switchboard [serve]` and `switchboard token`.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, Parser, Subcommand};
use handlers::{delivery::road::Settings, issuer::Issuer};

use crate::{
    Options, StartError,
    dynamodb::{Storage, TABLE},
    token, topic, web,
};

/// Members and subscriptions beyond which an audience is served in chunks on one machine: ten times what the template
/// has. Who reads the stream posts itself, without a network, and nobody else can help.
pub const LARGE_AUDIENCE: usize = 5_000;

/// Everything that may be typed.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, about = "Switchboard on one machine: everything on one port.")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `serve`, which is what is done without a command.
    #[command(flatten)]
    pub serve: Serve,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve everything on one port (the default).
    Serve(Box<Serve>),
    /// Print a user token: a JWT, HS256.
    Token(Token),
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on.
    #[arg(long, env = "SWITCHBOARD_HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// The port to listen on; 0: any free one.
    #[arg(long, env = "SWITCHBOARD_PORT", default_value_t = 3000)]
    pub port: u16,
    /// Keep everything in this file [default: .switchboard/data.db].
    #[arg(long, value_name = "PATH", conflicts_with_all = ["memory", "dynamodb"])]
    pub data: Option<PathBuf>,
    /// Keep nothing: all is gone with the process.
    #[arg(long, conflicts_with = "dynamodb")]
    pub memory: bool,
    /// Use DynamoDB Local or AWS at this URL.
    #[arg(long, value_name = "URL")]
    pub dynamodb: Option<String>,
    /// The secret of the application's server.
    #[arg(long, env = "SWITCHBOARD_SECRET", hide_env_values = true, default_value = DEV_SECRET)]
    pub secret: String,
    /// The key that signs user tokens (HS256).
    #[arg(long, env = "SWITCHBOARD_TOKEN_KEY", hide_env_values = true, default_value = DEV_SECRET)]
    pub token_key: String,
    /// Take user tokens of an identity provider too, whose public keys (JWKS) are at this URL.
    #[arg(long, value_name = "URL", env = "SWITCHBOARD_JWKS_URL")]
    pub jwks_url: Option<String>,
    /// What the provider's tokens must name as `iss`.
    #[arg(long, value_name = "ISS", env = "SWITCHBOARD_TOKEN_ISSUER", requires = "jwks_url")]
    pub token_issuer: Option<String>,
    /// What the provider's tokens must name as `aud`.
    #[arg(long, value_name = "AUD", env = "SWITCHBOARD_TOKEN_AUDIENCE", requires = "jwks_url")]
    pub token_audience: Option<String>,
    /// Serve this template instead of the embedded one.
    #[arg(long, value_name = "PATH", env = "SWITCHBOARD_TEMPLATE")]
    pub template: Option<PathBuf>,
    /// An origin that browsers may open WebSockets from; may be repeated. Without any, all may.
    #[arg(long, value_name = "ORIGIN", env = "SWITCHBOARD_ORIGIN", value_delimiter = ',')]
    pub origin: Vec<String>,
    /// Post every entry of every conversation to this URL (http://…), as JSON.
    #[arg(long, value_name = "URL", env = "SWITCHBOARD_WEBHOOK")]
    pub webhook: Option<topic::Url>,
    /// Members and subscriptions beyond which an audience is served in chunks, through a queue. The template has 500.
    #[arg(long, value_name = "N", env = "SWITCHBOARD_LARGE_AUDIENCE", default_value_t = LARGE_AUDIENCE)]
    pub large_audience: usize,
    /// How long the next post to a busy conversation may wait, so that more is in it, in milliseconds.
    #[arg(long, value_name = "MILLIS", env = "SWITCHBOARD_COALESCE_MILLIS", default_value_t = 0)]
    pub coalesce: u64,
    /// Posts a second at most; 0: as many as there are.
    #[arg(long, value_name = "N", env = "SWITCHBOARD_POSTS_PER_SECOND", default_value_t = 0)]
    pub posts_per_second: u32,
    /// Serve a built web client from this folder, beside the API.
    #[arg(long = "static", value_name = "DIR", env = "SWITCHBOARD_STATIC")]
    pub static_files: Option<PathBuf>,
    /// Run the functions' binaries, as Lambda does, instead of the handlers in this process. They are looked for
    /// beside this program, or in DIR. `cargo build -p functions --bins` builds them.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub lambda: Option<Option<PathBuf>>,
}

/// The flags of `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The user's id.
    pub user: String,
    /// May do everything.
    #[arg(long)]
    pub admin: bool,
    /// How long it is valid: 90s, 15m, 1h, 30d.
    #[arg(long, default_value = "1h", value_parser = token::parse_lifetime)]
    pub ttl: Duration,
    /// The key that signs it.
    #[arg(long, env = "SWITCHBOARD_TOKEN_KEY", hide_env_values = true, default_value = DEV_SECRET)]
    pub token_key: String,
}

/// Both secrets, until others are given. Everyone knows it.
pub const DEV_SECRET: &str = "dev-secret";

impl Serve {
    /// What these flags ask for. A flag wins over the environment; `environment` reads a variable.
    ///
    /// # Errors
    /// When the address is none, a well-known secret would be reachable from elsewhere, or the template is not there.
    pub fn options(self, environment: impl Fn(&str) -> Option<String>) -> Result<Options, StartError> {
        let host: IpAddr = match self.host.as_str() {
            "localhost" => IpAddr::from([127, 0, 0, 1]),
            host => host.parse().map_err(|_not_an_address| StartError::Host(host.to_owned()))?,
        };
        if !host.is_loopback()
            && [&self.secret, &self.token_key].into_iter().any(|secret| secret == DEV_SECRET)
        {
            return Err(StartError::DevSecret(host));
        }
        if self.secret.is_empty() || self.token_key.is_empty() {
            return Err(StartError::EmptySecret);
        }
        let storage = self.storage(environment)?;
        let template = match self.template {
            Some(path) => {
                Some(std::fs::read_to_string(&path).map_err(|source| StartError::Template { path, source })?)
            }
            None => None,
        };
        Ok(Options {
            host,
            port: self.port,
            storage,
            secrets: handlers::context::Secrets {
                server: self.secret,
                token_key: self.token_key,
                issuer: self.jwks_url.map(|url| {
                    Arc::new(Issuer::new(url, self.token_issuer, self.token_audience, web::connector()))
                }),
            },
            template,
            allowed_origins: self.origin,
            static_files: self.static_files,
            lambda: self.lambda.map(|folder| folder.unwrap_or_else(beside_this_program)),
            webhook: self.webhook,
            road: Settings {
                large_audience: self.large_audience,
                coalesce: Duration::from_millis(self.coalesce),
                posts_per_second: self.posts_per_second,
            },
            ..Options::default()
        })
    }

    fn storage(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Storage, StartError> {
        let flagged = self.data.is_some() || self.memory || self.dynamodb.is_some();
        let variable = |name| environment(name).filter(|value| !flagged && !value.is_empty());
        let data = self.data.clone().or_else(|| variable("SWITCHBOARD_DATA").map(PathBuf::from));
        let memory = self.memory || variable("SWITCHBOARD_MEMORY").is_some_and(|v| v != "0" && v != "false");
        let url = self.dynamodb.clone().or_else(|| variable("SWITCHBOARD_DYNAMODB"));
        match (data, memory, url) {
            (None, false, None) => Ok(Storage::File(PathBuf::from(STATE).join("data.db"))),
            (Some(path), false, None) => Ok(Storage::File(path)),
            (None, true, None) => Ok(Storage::Memory),
            (None, false, Some(url)) => {
                Ok(Storage::Remote { url, table: TABLE.to_owned(), state: Some(PathBuf::from(STATE)) })
            }
            _ => Err(StartError::Storages),
        }
    }
}

/// The folder that this program is in.
fn beside_this_program() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map(PathBuf::from).unwrap_or_default()
}

/// The folder for what is kept, in the working directory.
const STATE: &str = ".switchboard";

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Options, String> {
        let cli = Cli::try_parse_from(["switchboard"].iter().chain(arguments)).map_err(|e| e.to_string())?;
        let serve = match cli.command {
            Some(Command::Serve(serve)) => *serve,
            _ => cli.serve,
        };
        let read =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        serve.options(read).map_err(|error| error.to_string())
    }

    #[test]
    fn storage_is_a_file_unless_said_otherwise_and_a_flag_wins() {
        let file = |path: &str| Storage::File(PathBuf::from(path));
        let of = |arguments: &[&str], variables: &[_]| options(arguments, variables).unwrap().storage;
        assert_eq!(of(&[], &[]), file(".switchboard/data.db"));
        assert_eq!(of(&["serve", "--memory"], &[("SWITCHBOARD_DATA", "x.db")]), Storage::Memory);
        assert_eq!(of(&[], &[("SWITCHBOARD_DATA", "x.db")]), file("x.db"));
        assert_eq!(of(&[], &[("SWITCHBOARD_MEMORY", "1")]), Storage::Memory);
        assert!(options(&["--memory", "--data", "x"], &[]).is_err());
        assert!(options(&[], &[("SWITCHBOARD_MEMORY", "1"), ("SWITCHBOARD_DATA", "x")]).is_err());
    }

    #[test]
    fn the_road_and_the_webhook_are_as_they_were_asked_for() {
        let usual = options(&[], &[]).unwrap();
        let road = Settings { large_audience: LARGE_AUDIENCE, ..Settings::default() };
        assert_eq!((usual.road, usual.webhook), (road, None));
        let asked = ["--coalesce", "250", "--large-audience", "9", "--posts-per-second", "7"];
        let asked = options(&asked, &[]).unwrap().road;
        assert_eq!((asked.coalesce.as_millis(), asked.large_audience, asked.posts_per_second), (250, 9, 7));
        assert!(options(&["--webhook", "http://127.0.0.1:9000/hook"], &[]).unwrap().webhook.is_some());
        for wrong in ["https://127.0.0.1", "127.0.0.1", "/hook", ""] {
            assert!(options(&["--webhook", wrong], &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_known_secret_is_refused_where_others_can_reach_it() {
        let refused = options(&["--host", "0.0.0.0", "--secret", "s"], &[]).unwrap_err();
        assert!(refused.contains("--token-key"), "{refused}");
        assert!(options(&["--host", "0.0.0.0", "--secret", "s", "--token-key", "k"], &[]).is_ok());
        assert!(options(&["--host", "localhost"], &[]).is_ok());
    }
}
