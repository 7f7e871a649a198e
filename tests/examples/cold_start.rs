//! What a cold start of each function costs: from the start of its process to its first question for a call.
//!
//! ```sh
//! cargo build --release -p functions --bins --examples
//! cargo run --profile runner -p tests --example cold_start -- target/release
//! ```
//!
//! Each line: median and worst of the starts in ms, the CPU time of the median start, the process's memory at that
//! moment, the binary's size, and that of its zip (deflate -9). Beside them stands `hello`, a function of `lambda_http`
//! with nothing in it, started in turn with the others: the machine's noise is in both, and least in the CPU time. The
//! budgets are 5 ms and 2.6 MB.
//!
//! For binaries as they are deployed: `sam build`, then the folder of their `bootstrap`s, `target/lambda`.

use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Starts of each function.
const STARTS: usize = 9;
const BUDGET_MS: f64 = 5.0;
const BUDGET_MB: f64 = 2.6;
/// The roots that a function in Lambda reads, as they lie on most machines.
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// One start.
struct Start {
    took: Duration,
    /// Of all of its threads.
    cpu: Duration,
    /// Resident memory, in kB.
    memory: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/release".to_owned()));
    let hello = ["examples/hello", "hello/bootstrap"].map(|path| folder.join(path));
    let hello = hello.iter().find(|path| path.exists()).ok_or("there is no `hello` beside the functions")?;
    let mut programs = vec![("hello", hello.clone())];
    let bootstrap = |name: &str| {
        let path = folder.join(name);
        // cargo-lambda's own layout.
        if path.is_dir() { path.join("bootstrap") } else { path }
    };
    programs.extend(handlers::endpoints().iter().map(|one| (one.name, bootstrap(one.name))));
    println!(
        "{:<40} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8}",
        "function", "p50 ms", "max ms", "CPU ms", "RSS MB", "size MB", "zip MB"
    );
    let mut hello = Vec::new();
    let mut worst: (f64, f64) = (0.0, 0.0);
    let mut most_cpu: f64 = 0.0;
    let mut slow = Vec::new();
    for (name, path) in &programs {
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            if let Some((_, floor)) = programs.first() {
                hello.push(millis(start("hello", floor)?.took));
            }
            starts.push(start(name, path)?);
        }
        starts.sort_by_key(|start| start.took);
        let median = starts.get(STARTS / 2).map_or(0.0, |start| millis(start.took));
        let longest = starts.last().map_or(0.0, |start| millis(start.took));
        let mut cpu: Vec<f64> = starts.iter().map(|start| millis(start.cpu)).collect();
        cpu.sort_by(f64::total_cmp);
        let cpu = cpu.get(STARTS / 2).copied().unwrap_or_default();
        most_cpu = most_cpu.max(cpu);
        let memory = starts.iter().map(|start| start.memory).max().unwrap_or_default();
        let size = megabytes(std::fs::metadata(path)?.len());
        let zipped = megabytes(zipped(path)?);
        worst = (worst.0.max(median), worst.1.max(zipped));
        if median > BUDGET_MS || zipped > BUDGET_MB {
            slow.push(*name);
        }
        let memory = megabytes(memory * 1000);
        println!(
            "{name:<40} {median:>8.2} {longest:>8.2} {cpu:>8.2} {memory:>9.1} {size:>9.2} {zipped:>8.2}"
        );
    }
    hello.sort_by(f64::total_cmp);
    let floor = hello.get(hello.len() / 2).copied().unwrap_or_default();
    println!(
        "\nworst median {:.2} ms (budget {BUDGET_MS}), {:.1} times `hello` ({floor:.2} ms over {} starts); most CPU time \
         {most_cpu:.2} ms; largest zip {:.2} MB (budget {BUDGET_MB})",
        worst.0,
        worst.0 / floor,
        hello.len(),
        worst.1
    );
    println!("over a budget: {}", if slow.is_empty() { "none".to_owned() } else { slow.join(", ") });
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Starts the program and waits for its first question.
fn start(name: &str, program: &Path) -> Result<Start, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let here = listener.local_addr()?.to_string();
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut environment = vec![
        set("AWS_LAMBDA_RUNTIME_API", &here),
        set("AWS_LAMBDA_FUNCTION_NAME", name),
        set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        set("AWS_REGION", "us-east-1"),
        set("AWS_ACCESS_KEY_ID", "local"),
        set("AWS_SECRET_ACCESS_KEY", "local"),
        set("SSL_CERT_FILE", ROOTS),
        set("SWITCHBOARD_TABLE", "switchboard"),
        set("SWITCHBOARD_SECRET", "secret"),
        set("SWITCHBOARD_TOKEN_KEY", "key"),
        set("SWITCHBOARD_ATTACHMENTS_BUCKET", "files"),
    ];
    for dialect in ["CHANNELS", "CHANNELSTREAM", "EVENTS", "NKCHAT"] {
        environment.push(set(&format!("SWITCHBOARD_MANAGEMENT_{dialect}"), "https://local.invalid/live"));
    }
    let mut command = Command::new(program);
    command.env_clear().envs(environment).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut process = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
    let (mut stream, _) = listener.accept()?;
    let mut asked = [0; 64];
    let read = stream.read(&mut asked)?;
    let took = began.elapsed();
    let cpu = cpu(process.id());
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let memory = memory.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or_default();
    process.kill()?;
    process.wait()?;
    if asked.get(..read).is_none_or(|asked| !asked.starts_with(b"GET /2018-06-01/runtime/invocation/next")) {
        return Err(format!("{name} did not ask for a call").into());
    }
    Ok(Start { took, cpu, memory })
}

/// The CPU time of a process's threads so far, as the scheduler counts it.
fn cpu(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The size of the program in a zip, in bytes.
fn zipped(program: &Path) -> Result<u64, Box<dyn Error>> {
    let file = std::fs::File::open(program)?;
    let output = Command::new("gzip").args(["-9", "-c"]).stdin(file).output()?;
    std::io::stdout().flush()?;
    Ok(u64::try_from(output.stdout.len())?)
}
