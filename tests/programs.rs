//! The programs under `seeds/` print what they are known to print.
//!
//! Invariants:
//! - Every program is saved as a seed by `plan seed save`, the way a user does it, and run as one.
//! - What is expected stands in `seeds/expected.tsv`; every program has a row of a small size there.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::process::binary;
use support::{End, Input, Plan, scratch_dir};

struct Row {
    program: String,
    arguments: Vec<String>,
    output: String,
}

fn rows() -> Vec<Row> {
    let text = include_str!("../seeds/expected.tsv");
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().expect("three fields").to_string();
            let (program, arguments, output) = (next(), next(), next());
            Row {
                program,
                arguments: arguments.split_whitespace().map(str::to_string).collect(),
                output: output.replace("\\n", "\n"),
            }
        })
        .collect()
}

fn saved(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seed = scratch_dir("programs").join(format!("{program}.seed"));
    let source = root.join("seeds").join(format!("{program}.wisp"));
    let args = [
        "seed".into(),
        "save".into(),
        source.into_os_string(),
        "-o".into(),
        seed.clone().into(),
    ];
    let outcome = Plan::new(args).run();
    assert!(outcome.ended(), "{program}: {}", outcome.describe());
    assert_eq!(
        (outcome.out(), outcome.err()),
        (String::new(), String::new()),
        "{program}"
    );
    seed
}

#[test]
fn programs_print_what_is_known() {
    let mut run = 0;
    for row in rows() {
        let seed = saved(&row.program);
        let mut args = vec![seed.into_os_string()];
        args.extend(row.arguments.iter().map(Into::into));
        let outcome = Plan::new(args).limit_seconds(60).run();
        let got = (outcome.out(), outcome.err());
        assert_eq!(
            got,
            (row.output, String::new()),
            "{} {:?}",
            row.program,
            row.arguments
        );
        run += 1;
    }
    assert!(run >= 26, "only {run} rows");
    println!("programs: {run} run, {run} passed");
}

/// Operations of chapter 02 that end the reference implementation by a signal.
const NOT_EVERYWHERE: &[&str] = &[
    "Sap2", "Sap3", "Sap4", "Sap5", "Sap6", "Sap7", "Fresh", "Nand", "Nor", "Pow", "Trunc1",
    "Trunc128", "Trunc256", "Cut", "Wipe", "Edit", "Case6", "Case7", "Switch", "Erase", "Splice",
    "Load16", "Load32", "Load64", "Store16", "Store32",
];

/// Our seeds run under other implementations, too.
#[test]
fn programs_use_operations_that_all_implementations_have() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut checked = 0;
    for entry in std::fs::read_dir(seeds).expect("programs") {
        let path = entry.expect("a file").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.extension().is_none_or(|suffix| suffix != "wisp") || name == "measure" {
            continue;
        }
        let dumped = Plan::new(["seed".into(), "dump".into(), saved(&name).into_os_string()]).run();
        assert_eq!(dumped.end, End::Status(0), "{name}");
        let text = dumped.out();
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for operation in NOT_EVERYWHERE {
            assert!(!words.contains(operation), "{name} uses {operation}");
        }
        assert!(
            words.contains(&"If"),
            "{name}: operations are shown by name"
        );
        checked += 1;
    }
    assert!(checked >= 18, "{checked} programs");
}

/// Standard output and status of a saved program that writes nothing to standard error.
fn output(program: &str, arguments: &[&str], input: &str) -> (String, i32) {
    let mut args = vec![saved(program).into_os_string()];
    args.extend(arguments.iter().map(Into::into));
    let got = Plan::new(args)
        .input(Input::Bytes(input.as_bytes().to_vec()))
        .run();
    assert_eq!(got.err(), "", "{program}");
    match got.end {
        End::Status(status) => (got.out(), status),
        _ => panic!("{program}: {}", got.describe()),
    }
}

#[test]
fn hello_greets() {
    assert_eq!(output("hello", &[], ""), ("Hello, world!\n".into(), 0));
    let greeted = output("hello", &["Ada", "Grün"], "");
    assert_eq!(greeted, ("Hello, Ada!\nHello, Grün!\n".into(), 0));
}

#[test]
fn primes_are_printed() {
    let (primes, status) = output("primes", &["30"], "");
    let numbers: Vec<&str> = primes.lines().flat_map(str::split_whitespace).collect();
    assert_eq!(
        numbers[..10],
        ["2", "3", "5", "7", "11", "13", "17", "19", "23", "29"]
    );
    assert_eq!(
        (numbers[10..].join(" ").as_str(), status),
        ("that makes 10", 0)
    );
}

#[test]
fn wc_counts() {
    let counted = |text: &str| output("wc", &[], text);
    assert_eq!(counted(""), ("0 0 0\n".into(), 0));
    assert_eq!(counted("one two\nthree"), ("1 3 13\n".into(), 0));
    // Words across the ends of blocks.
    let numbers: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(counted(&numbers), ("100000 100000 588895\n".into(), 0));
}

#[test]
fn json_is_printed_in_two_ways() {
    let text = r#" {"a": [1, -2.5e3, {"b":null}], "c":"x\u00e9", "d":[], "e":{}} "#;
    let compact = "{\"a\":[1,-2.5e3,{\"b\":null}],\"c\":\"xé\",\"d\":[],\"e\":{}}\n";
    assert_eq!(output("json", &["--compact"], text), (compact.into(), 0));
    let pretty = "{
  \"a\": [
    1,
    -2.5e3,
    {
      \"b\": null
    }
  ],
  \"c\": \"xé\",
  \"d\": [],
  \"e\": {}
}
";
    assert_eq!(output("json", &[], text), (pretty.into(), 0));
    let refused = |arguments: &[&str], input: &str| {
        let mut args = vec![saved("json").into_os_string()];
        args.extend(arguments.iter().map(Into::into));
        let got = Plan::new(args)
            .input(Input::Bytes(input.as_bytes().to_vec()))
            .run();
        assert_eq!(got.out(), "");
        (got.err(), got.end)
    };
    let (problem, end) = refused(&[], "[1, ");
    assert_eq!(end, End::Status(1));
    assert_eq!(problem, "json: a value was expected at byte 4\n");
    let (problem, end) = refused(&["--nope"], "");
    assert_eq!(end, End::Status(2));
    assert_eq!(
        problem,
        "json: there is no option --nope (use --compact or nothing)\n"
    );
}

#[test]
fn mandelbrot_draws() {
    let (picture, status) = output("mandelbrot", &["30", "20"], "");
    assert_eq!(
        (picture, status),
        (include_str!("programs/mandelbrot.txt").into(), 0)
    );
}

/// A running server, ended by its process number when it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut process = Command::new(binary())
            .arg(saved("server"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("its address");
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.and_then(|rest| rest.strip_suffix('/'));
        Server {
            address: address.unwrap_or_else(|| panic!("{line}")).into(),
            process,
        }
    }

    /// What comes back for these bytes.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a limit");
        stream.write_all(bytes).expect("a request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Status line and body of the answer to a request.
    fn ask(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\ncontent-length: {length}\r\n\r\n");
        let answer = self.send(format!("{head}{body}").as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.lines().next().expect("a status");
        assert!(
            head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())),
            "{head}"
        );
        (status.to_string(), body.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_server_keeps_texts() {
    let server = Server::start(&[]);
    let ok = |body: &str| (String::from("HTTP/1.1 200 OK"), String::from(body));
    let kept = (String::from("HTTP/1.1 204 No Content"), String::new());
    let missing = (
        String::from("HTTP/1.1 404 Not Found"),
        String::from("no such name\n"),
    );
    assert_eq!(server.ask("GET", "/", ""), ok(""));
    assert_eq!(server.ask("GET", "/a", ""), missing);
    assert_eq!(server.ask("PUT", "/a", "first"), kept);
    assert_eq!(server.ask("PUT", "/b", &"x".repeat(100_000)), kept);
    assert_eq!(server.ask("PUT", "/a", "second\r\n\r\nline"), kept);
    assert_eq!(server.ask("GET", "/a", ""), ok("second\r\n\r\nline"));
    assert_eq!(server.ask("GET", "/b", "").1.len(), 100_000);
    assert_eq!(server.ask("GET", "/", ""), ok("a\nb\n"));
    assert_eq!(server.ask("DELETE", "/b", ""), kept);
    assert_eq!(server.ask("DELETE", "/b", ""), missing);
    assert_eq!(
        server.ask("PATCH", "/a", "").0,
        "HTTP/1.1 405 Method Not Allowed"
    );
    assert!(
        server
            .send(b"nonsense\r\n\r\n")
            .starts_with("HTTP/1.1 400 Bad Request\r\n")
    );
    let endless = format!("PUT /c HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 1_u64 << 40);
    assert!(
        server
            .send(endless.as_bytes())
            .starts_with("HTTP/1.1 400 Bad Request\r\n")
    );
    // A client that leaves in the middle of its request does no harm.
    let stream = TcpStream::connect(&server.address).expect("a connection");
    drop(stream);
    assert_eq!(server.ask("GET", "/", ""), ok("a\n"));
}

#[test]
fn the_server_ends_after_so_many_requests() {
    let mut server = Server::start(&["--requests=2"]);
    server.ask("PUT", "/a", "x");
    assert_eq!(server.ask("GET", "/a", "").1, "x");
    let status = server.process.wait().expect("its end");
    assert_eq!(status.code(), Some(0));
}
