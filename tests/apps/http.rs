//! Servers, and two clients: curl, and one that keeps its connection.
//!
//! Invariants:
//! - a server is ended by its handle, at the latest when it is dropped;
//! - whoever waits for an answer waits for so many seconds at most.

use crate::App;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const PATIENCE: u64 = 60;

pub struct Server {
    process: Child,
    /// Host and port.
    pub address: String,
    /// How many keys it says it has.
    pub keys: usize,
}

impl Server {
    pub fn start(app: &App, args: &[&str]) -> Server {
        Server::started(Command::new(&app.path).args(args))
    }

    /// The server that a command starts.
    pub fn started(command: &mut Command) -> Server {
        let command = command.stdout(Stdio::piped());
        let mut process = command.spawn().expect("a server");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["listening", "on", url, "with", keys, "keys"] = words[..] else {
            // Not a server, but a process nevertheless.
            let _ = process.kill();
            panic!("{line:?} {:?}", process.wait());
        };
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        Server {
            address: address.into(),
            keys: keys.parse().expect("a number"),
            process,
        }
    }

    /// SIGKILL, and its end.
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be ended");
        self.process.wait().expect("its end");
    }

    /// The number of the process that was started.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().expect("its end")
    }

    /// Status and body of the answer that curl gets for these arguments and the path `/KEY`.
    pub fn curl(&self, args: &[&str], key: &str) -> (u16, Vec<u8>) {
        let limit = PATIENCE.to_string();
        let output = Command::new("curl")
            .args(["-q", "-sS", "--noproxy", "*", "--max-time", &limit])
            .args(["-w", "%{http_code}"])
            .args(args)
            .arg(format!("http://{}/{key}", self.address))
            .output()
            .expect("curl (tools/setup installs it)");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {args:?} {key}: {said}");
        let mut body = output.stdout;
        let status = body.split_off(body.len() - 3);
        let status = String::from_utf8_lossy(&status).parse();
        (status.expect("a status"), body)
    }

    /// PUT with what a file holds.
    pub fn upload(&self, file: &Path, key: &str) -> u16 {
        self.curl(&["-T", file.to_str().expect("a name")], key).0
    }

    pub fn get(&self, key: &str) -> (u16, Vec<u8>) {
        self.curl(&[], key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection that is kept.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(address: &str) -> std::io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(PATIENCE)))?;
        stream.set_nodelay(true)?;
        Ok(Client(BufReader::new(stream)))
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Status and body of the next answer.
    pub fn receive(&mut self) -> std::io::Result<(u16, Vec<u8>)> {
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().ok();
            }
            if let Some(rest) = line.strip_prefix("Content-Length: ") {
                length = rest.trim_end().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status.expect("a status line"), body))
    }

    pub fn ask(&mut self, method: &str, key: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let length = body.len();
        let head = format!("{method} /{key} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
        self.send(&[head.as_bytes(), body].concat())?;
        self.receive()
    }
}
