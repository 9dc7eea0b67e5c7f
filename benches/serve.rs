//! Measures the key-value server under load: requests in a second, and how long one takes.
//!
//!     make && cargo bench --bench serve
//!
//! An image of `seeds/kv.wisp` is made and filled; then clients, each a thread with one request under
//! way, put values of 100 bytes under random keys, or get them, over connections that are kept or
//! made anew for each request. Beside the times of requests: how often the process synced, if it can
//! be told. The table goes to standard output as Markdown.
//!
//! | variable | effect |
//! |---|---|
//! | `PLAN_BENCH_SECONDS` | how long each row takes, 5 unless set |
//! | `PLAN_BENCH_CLIENTS` | how many clients, `1 8 64` unless set |
//! | `PLAN_BENCH_KEYS` | keys that are there before, 10,000 unless set |
//!
//! Invariants:
//! - a request counts when its answer is there wholly, its connection included if it is made for it;
//! - every answer's status is checked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the image is kept: the file system that is measured.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// Bytes of a value.
const VALUE: usize = 100;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A server, ended when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(image: &Path) -> Result<Server, Error> {
        let mut process = Command::new(image).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().nth(2).ok_or("it does not listen")?;
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        Ok(Server {
            address: address.into(),
            process,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the clients do.
#[derive(Clone, Copy)]
struct Load {
    clients: usize,
    /// Requests in a hundred that put something.
    puts: u64,
    /// Connections are kept.
    kept: bool,
    keys: u64,
    seconds: u64,
}

/// Reads an answer; its status.
fn answer(reader: &mut BufReader<TcpStream>) -> Result<u16, Error> {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("the connection ended".into());
        }
        if line == "\r\n" {
            break;
        }
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.get(..3).ok_or("no status")?.parse()?;
        }
        if let Some(rest) = line.strip_prefix("Content-Length: ") {
            length = rest.trim_end().parse()?;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok(status)
}

fn connect(address: &str) -> Result<BufReader<TcpStream>, Error> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Milliseconds of each request of one client.
fn client(address: &str, number: usize, load: Load, end: Instant) -> Result<Vec<f64>, Error> {
    let mut times = Vec::new();
    let mut connection = None;
    let mut state = number as u64 * 2 + 1;
    let last = if load.kept {
        ""
    } else {
        "Connection: close\r\n"
    };
    while Instant::now() < end {
        // Xorshift (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let key = state % load.keys;
        let request = if (state >> 32) % 100 < load.puts {
            let value = format!("{state:0VALUE$}");
            format!("PUT /{key} HTTP/1.1\r\n{last}Content-Length: {VALUE}\r\n\r\n{value}")
        } else {
            format!("GET /{key} HTTP/1.1\r\n{last}\r\n")
        };
        let begin = Instant::now();
        let mut open = match connection.take() {
            Some(open) => open,
            None => connect(address)?,
        };
        open.get_mut().write_all(request.as_bytes())?;
        let status = answer(&mut open)?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        if !matches!(status, 200 | 201) {
            return Err(format!("status {status}").into());
        }
        connection = load.kept.then_some(open);
    }
    Ok(times)
}

/// Puts all keys, many requests at a time.
fn fill(address: &str, keys: u64) -> Result<(), Error> {
    let mut connections = (0..64)
        .map(|_| connect(address))
        .collect::<Result<Vec<_>, _>>()?;
    let all: Vec<u64> = (0..keys).collect();
    for some in all.chunks(connections.len()) {
        for (key, connection) in some.iter().zip(&mut connections) {
            let head = format!("PUT /{key} HTTP/1.1\r\nContent-Length: {VALUE}\r\n\r\n");
            let request = format!("{head}{key:0VALUE$}");
            connection.get_mut().write_all(request.as_bytes())?;
        }
        for (_, connection) in some.iter().zip(&mut connections) {
            answer(connection)?;
        }
    }
    Ok(())
}

fn measure(server: &Server, load: Load) -> Result<(), Error> {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(load.seconds);
    let mut times = thread::scope(|scope| {
        let start = |n| scope.spawn(move || client(&server.address, n, load, end));
        let all: Vec<_> = (0..load.clients).map(start).collect();
        let ended = all
            .into_iter()
            .map(|one| one.join().map_err(|_| "a client ended")?);
        ended.collect::<Result<Vec<_>, Error>>()
    })?
    .concat();
    let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let kept = if load.kept { "kept" } else { "new" };
    println!(
        "| {} | {} % | {kept} | {rate:.0} | {:.2} | {:.2} | {:.2} |",
        load.clients,
        load.puts,
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}

fn image() -> Result<PathBuf, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let image = Path::new(SCRATCH).join("serve-kv");
    let built = Command::new(root.join("build/plan"))
        .arg("build")
        .arg(root.join("seeds/kv.wisp"))
        .arg("-o")
        .arg(&image)
        .status()?;
    if built.success() {
        Ok(image)
    } else {
        Err("the image could not be made".into())
    }
}

fn main() -> Result<(), Error> {
    let image = image()?;
    let keys = variable("PLAN_BENCH_KEYS", "10000").parse()?;
    let seconds = variable("PLAN_BENCH_SECONDS", "5").parse()?;
    let server = Server::start(&image)?;
    fill(&server.address, keys)?;
    println!("| clients | puts | connections | requests/s | median ms | 99 % ms | most ms |");
    println!("|---|---|---|---|---|---|---|");
    for clients in variable("PLAN_BENCH_CLIENTS", "1 8 64").split_whitespace() {
        for (puts, kept) in [(100, true), (100, false), (10, true), (0, true), (0, false)] {
            let load = Load {
                clients: clients.parse()?,
                puts,
                kept,
                keys,
                seconds,
            };
            measure(&server, load)?;
        }
    }
    drop(server);
    std::fs::remove_file(&image)?;
    Ok(())
}
