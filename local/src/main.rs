//! `switchboard`: serves everything on one port, or prints a token. See the library for what it does.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use switchboard::{
    cli::{Cli, Command},
    start, token,
};

/// A table in the same process allocates and frees at every request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchboard: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let serve = match cli.command {
        Some(Command::Token(ask)) => {
            println!("{}", token::user_token(&ask.user, ask.admin, ask.ttl, &ask.token_key)?);
            return Ok(());
        }
        Some(Command::Serve(serve)) => *serve,
        None => cli.serve,
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,switchboard=info,handlers=info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let options = serve.options(|name| std::env::var(name).ok())?;
    // Two threads: SQLite takes one call at a time anyway, and its calls run on threads of their own.
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let mut ends = ends()?;
        let running = start(options).await?;
        let mut out = std::io::stdout();
        writeln!(out, "listening on http://{}", running.address)?;
        out.flush()?;
        ends.wait().await;
        // Who asks twice does not want to wait: nothing acknowledged is lost then either.
        tokio::select! {
            () = running.shutdown() => {}
            () = ends.wait() => {}
        }
        Ok(())
    })
}

/// The signals that end the program.
struct Ends {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

// Caught from before it says that it listens: who reads that line may end it at once.
fn ends() -> std::io::Result<Ends> {
    Ok(Ends {
        #[cfg(unix)]
        interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
        #[cfg(unix)]
        terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
    })
}

impl Ends {
    async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
