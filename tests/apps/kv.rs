//! The key-value server: what it answers, and that it has what it acknowledged after it was killed.

use crate::App;
use crate::http::{Client, Server};
use crate::support::{End, Plan};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

fn answer(status: u16, body: &str) -> (u16, Vec<u8>) {
    (status, body.as_bytes().to_vec())
}

#[test]
fn curl_finds_what_it_left() {
    let kv = App::of("kv");
    let file = kv.dir().join("file");
    let bytes: Vec<u8> = (0..1 << 20).map(|i: u32| (i ^ i >> 9) as u8).collect();
    fs::write(&file, &bytes).expect("a file");
    let short = kv.dir().join("short");
    fs::write(&short, b"\0a\0\0").expect("a file");
    let mut server = Server::start(&kv, &[]);
    assert_eq!(server.keys, 0);
    assert_eq!(server.get(""), answer(200, ""));
    assert_eq!(server.get("a"), answer(404, "404 Not Found\n"));
    let put = |value: &str, key| server.curl(&["-X", "PUT", "-d", value], key);
    assert_eq!(put("first", "a"), answer(201, "201 Created\n"));
    assert_eq!(put("second", "a"), answer(200, "200 OK\n"));
    assert_eq!(put("x", "b%20c?d"), answer(201, "201 Created\n"));
    assert_eq!(server.upload(&file, "large"), 201);
    assert_eq!(server.upload(&short, "short"), 201);
    assert_eq!(put("", "empty"), answer(201, "201 Created\n"));
    let delete = |key| server.curl(&["-X", "DELETE"], key).0;
    assert_eq!((delete("b%20c?d"), delete("b%20c?d")), (200, 404));
    assert_eq!(server.curl(&["-I"], "a").0, 200);
    server.kill();

    let server = Server::start(&kv, &["0"]);
    assert_eq!(server.keys, 4);
    assert_eq!(server.get(""), answer(200, "a\nempty\nlarge\nshort\n"));
    assert_eq!(server.get("a"), answer(200, "second"));
    assert_eq!(server.get("empty"), answer(200, ""));
    assert_eq!(server.get("short").1, b"\0a\0\0");
    assert!(server.get("large") == (200, bytes));
    drop(server);
    kv.scrub();
}

#[test]
fn what_is_no_request_is_refused() {
    let kv = App::of("kv");
    let file = kv.dir().join("file");
    fs::write(&file, vec![0; (1 << 20) + 1]).expect("a file");
    let server = Server::start(&kv, &[]);
    assert_eq!(server.upload(&file, "large"), 413);
    assert_eq!(server.curl(&["-X", "POST", "-d", "x"], "a").0, 405);
    assert_eq!(server.curl(&["-X", "PUT", "-d", "x"], "").0, 400);
    let raw = |text: &str| {
        let mut client = Client::connect(&server.address).expect("a connection");
        client.send(text.as_bytes()).expect("it listens");
        let (status, _) = client.receive().expect("an answer");
        // Nothing behind it is taken for a request.
        assert!(client.receive().is_err(), "{text:?}");
        status
    };
    assert_eq!(raw("nonsense\r\n\r\nGET / HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(raw("GET a HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(raw("GET /a HTTP/2\r\n\r\n"), 400);
    assert_eq!(raw("PUT /a HTTP/1.1\r\nContent-Length: x\r\n\r\n"), 400);
    let two = "PUT /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(raw(two), 400);
    let coded = |coding: &str| format!("PUT /a HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n");
    assert_eq!(raw(&coded("gzip, chunked")), 501);
    let both = "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n";
    assert_eq!(raw(both), 400);
    let chunked = coded("chunked");
    for (chunks, status) in [
        ("\r\n", 400),
        ("x\r\n", 400),
        ("-1\r\n", 400),
        ("1\r\nabc", 400),
        ("1;name=value\r\na\r\n100001\r\n", 413),
        ("100000000000000000000000000000000\r\n", 413),
        (&*"0".repeat(300), 400),
        (&*format!("0\r\n{}", "a".repeat(20_000)), 431),
    ] {
        assert_eq!(raw(&format!("{chunked}{chunks}")), status, "{chunks:?}");
    }
    let endless = format!("PUT /a HTTP/1.1\r\nContent-Length: {}\r\n\r\n", u128::MAX);
    assert_eq!(raw(&endless), 413);
    assert_eq!(raw(&format!("GET /{} ", "a".repeat(20_000))), 431);
    assert_eq!(server.get(""), answer(200, ""));
}

/// Requests that come in one piece or in many, and clients that leave.
#[test]
fn connections_are_kept() {
    let kv = App::of("kv");
    let mut server = Server::start(&kv, &["--requests=8"]);
    let mut client = Client::connect(&server.address).expect("a connection");
    let three = "PUT /k HTTP/1.1\r\ncontent-length: 1\r\n\r\nxGET /k HTTP/1.1\r\n\r\n\
                 DELETE /k HTTP/1.1\r\n\r\n";
    client.send(three.as_bytes()).expect("it listens");
    assert_eq!(client.receive().expect("one"), answer(201, "201 Created\n"));
    assert_eq!(client.receive().expect("two"), answer(200, "x"));
    assert_eq!(client.receive().expect("three"), answer(200, "200 OK\n"));
    for byte in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" {
        client.send(&[*byte]).expect("it listens");
    }
    assert_eq!(client.receive().expect("four"), answer(200, ""));

    let mut waiting = Client::connect(&server.address).expect("a connection");
    let head = "PUT /w HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    waiting.send(head.as_bytes()).expect("it listens");
    assert_eq!(waiting.receive().expect("go on").0, 100);
    let mut gone = Client::connect(&server.address).expect("a connection");
    gone.send(b"PUT /gone HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
        .expect("it listens");
    drop(gone);
    // Nobody waits for the one that has not sent its body.
    assert_eq!(client.ask("GET", "w", b"").expect("five").0, 404);
    waiting.send(b"ok").expect("it listens");
    assert_eq!(waiting.receive().expect("six").0, 201);
    assert_eq!(
        client.ask("GET", "w", b"").expect("seven"),
        answer(200, "ok")
    );
    let last = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
    client.send(last.as_bytes()).expect("it listens");
    assert_eq!(client.receive().expect("eight"), answer(200, "w\n"));
    assert!(client.receive().is_err(), "it was closed");
    assert_eq!(server.wait().code(), Some(0));
}

/// Bodies whose length is not known before: by curl, which asks whether it may send them, and byte
/// by byte.
#[test]
fn bodies_come_in_chunks() {
    let kv = App::of("kv");
    let file = kv.dir().join("file");
    let bytes: Vec<u8> = (0..1 << 20).map(|i: u32| (i ^ i >> 7) as u8).collect();
    fs::write(&file, &bytes).expect("a file");
    let server = Server::start(&kv, &[]);
    let name = file.to_str().expect("a name");
    let upload = ["-H", "Transfer-Encoding: chunked", "-T", name];
    assert_eq!(server.curl(&upload, "large").0, 201);
    assert!(server.get("large") == (200, bytes));

    let mut client = Client::connect(&server.address).expect("a connection");
    let request = b"PUT /k HTTP/1.1\r\nTRANSFER-ENCODING: Chunked\r\n\r\n\
        3\r\na\0b\r\n0A ;x=\"y\"\r\n\r\n\r\n\r\n12\0\0\r\n0\r\nTrailer: z\r\n\r\n\
        GET /k HTTP/1.1\r\n\r\n";
    for piece in [1, 7, request.len()] {
        for bytes in request.chunks(piece) {
            client.send(bytes).expect("it listens");
        }
        assert!(matches!(client.receive().expect("put"), (200 | 201, _)));
        let kept = b"a\0b\r\n\r\n\r\n12\0\0".to_vec();
        assert_eq!(client.receive().expect("get"), (200, kept));
    }
    let empty = "PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    client.send(empty.as_bytes()).expect("it listens");
    assert_eq!(client.receive().expect("go on").0, 100);
    client.send(b"0\r\n\r\n").expect("it listens");
    assert_eq!(client.receive().expect("put"), answer(200, "200 OK\n"));
    assert_eq!(server.get("k"), answer(200, ""));
}

/// A hundred clients that begin a request and never end it.
#[test]
fn slow_clients_keep_nobody_waiting() {
    let kv = App::of("kv");
    let server = Server::start(&kv, &[]);
    let request = b"PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf";
    let begin = |n: usize| {
        let mut client = Client::connect(&server.address).expect("a connection");
        let part = &request[..n % request.len()];
        client.send(part).expect("it listens");
        client
    };
    let slow: Vec<Client> = (0..100).map(begin).collect();
    for n in 0..20 {
        let put = server.curl(&["-X", "PUT", "-d", "x"], &n.to_string());
        assert_eq!(put.0, 201);
    }
    drop(slow);
    assert_eq!(server.get("k").0, 404);
}

/// Another process cannot run a running image. Most kernels do not even execute a file that is open
/// for writing; the others leave it to the lock.
fn refused(kv: &App) {
    match Command::new(&kv.path).output() {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ExecutableFileBusy),
        Ok(second) => {
            let line = String::from_utf8_lossy(&second.stderr);
            assert!(
                line.starts_with("plan: ") && line.lines().count() == 1,
                "{line}"
            );
            assert_eq!((second.status.code(), second.stdout), (Some(4), vec![]));
        }
    }
    let args = ["image".as_ref(), "collect".as_ref(), kv.path.as_os_str()];
    let collected = Plan::new(args).run();
    assert_eq!(collected.end, End::Status(4), "{}", collected.describe());
}

#[test]
fn a_second_server_on_the_same_image_is_refused() {
    let kv = App::of("kv");
    let mut server = Server::start(&kv, &[]);
    for _ in 0..3 {
        refused(&kv);
    }
    assert_eq!(server.curl(&["-X", "PUT", "-d", "x"], "a").0, 201);
    server.kill();
    assert_eq!(Server::start(&kv, &[]).keys, 1);
}

#[test]
fn the_command_line_of_the_server_is_checked() {
    let kv = App::of("kv");
    let usage = "(kv [PORT] [--public] [--requests=N])\n";
    let number = format!("kv: the port is a number below 65536 {usage}");
    kv.says(&["65536"], "", &number, 2);
    kv.says(&["x"], "", &number, 2);
    let many = format!("kv: there is more than one port {usage}");
    kv.says(&["1", "2"], "", &many, 2);
    let option = format!("kv: there is no option --frob {usage}");
    kv.says(&["--frob"], "", &option, 2);
    let server = Server::start(&kv, &[]);
    let port = server.address.rsplit(':').next().expect("a port");
    let taken = kv.copy("other").run(&[port]);
    let complaint = format!("kv: port {port}: address in use\n");
    assert_eq!((taken.err(), taken.end), (complaint, End::Status(1)));
}

type Values = BTreeMap<String, Vec<u8>>;

/// What one client did: what was acknowledged, and what it asked for last.
struct Story {
    kept: Values,
    asked: Option<(String, Option<Vec<u8>>)>,
}

/// Changes keys of its own until the server is gone. One change in four takes a key away.
fn change(
    address: &str,
    client: usize,
    round: usize,
    mut kept: Values,
    done: &AtomicUsize,
) -> Story {
    let mut asked = None;
    let Ok(mut connection) = Client::connect(address) else {
        return Story { kept, asked };
    };
    for i in 0.. {
        let key = format!("{client}-{}", i * 7 % 40);
        let value = (i % 4 != 3).then(|| format!("{round}.{i}.").repeat(i % 60 + 1).into_bytes());
        asked = Some((key.clone(), value.clone()));
        let answered = match &value {
            Some(value) => connection.ask("PUT", &key, value),
            None => connection.ask("DELETE", &key, b""),
        };
        let Ok((status, body)) = answered else { break };
        let fine = matches!(status, 200 | 201) || value.is_none() && status == 404;
        assert!(fine, "{status} {}", String::from_utf8_lossy(&body));
        match value {
            Some(value) => kept.insert(key, value),
            None => kept.remove(&key),
        };
        done.fetch_add(1, Ordering::SeqCst);
    }
    Story { kept, asked }
}

/// What the server has is what was acknowledged, but for what was asked for last.
fn compare(address: &str, client: usize, story: Story) -> Values {
    let mut connection = Client::connect(address).expect("a connection");
    let mut now = Values::new();
    for key in (0..40).map(|i| format!("{client}-{i}")) {
        let (status, body) = connection.ask("GET", &key, b"").expect("an answer");
        let found = (status == 200).then_some(body);
        let open = matches!(&story.asked, Some((asked, value)) if *asked == key && *value == found);
        assert!(open || found.as_ref() == story.kept.get(&key), "{key}");
        now.extend(found.map(|value| (key, value)));
    }
    now
}

/// Kills the server in the middle of traffic, again and again.
#[test]
fn what_was_acknowledged_survives_a_kill() {
    const CLIENTS: usize = 4;
    let rounds = std::env::var("PLAN_KILLS").map_or(8, |n| n.parse().expect("a number"));
    let kv = App::of("kv");
    let mut kept = vec![Values::new(); CLIENTS];
    let mut server = Server::start(&kv, &[]);
    let mut changes = 0;
    for round in 0..rounds {
        let done = AtomicUsize::new(0);
        let address = server.address.clone();
        let stories: Vec<Story> = thread::scope(|scope| {
            let start = |(client, kept)| {
                let (address, done) = (&address, &done);
                scope.spawn(move || change(address, client, round, kept, done))
            };
            let clients: Vec<_> = kept.drain(..).enumerate().map(start).collect();
            while done.load(Ordering::SeqCst) < 100 + 37 * (round % 5) {
                assert!(!clients.iter().all(|c| c.is_finished()), "nobody asks");
                thread::sleep(Duration::from_micros(200));
            }
            server.kill();
            clients
                .into_iter()
                .map(|c| c.join().expect("a client"))
                .collect()
        });
        changes += done.into_inner();
        server = Server::start(&kv, &[]);
        for (client, story) in stories.into_iter().enumerate() {
            kept.push(compare(&server.address, client, story));
        }
        assert_eq!(server.keys, kept.iter().map(Values::len).sum::<usize>());
    }
    server.kill();
    kv.scrub();
    println!("apps: {changes} changes, {rounds} kills");
}

/// Clients at the same time, some of whom want more than they read.
#[test]
fn clients_do_not_wait_for_each_other() {
    let kv = App::of("kv");
    let server = Server::start(&kv, &[]);
    let mut client = Client::connect(&server.address).expect("a connection");
    let large = vec![7; 1 << 20];
    assert_eq!(client.ask("PUT", "large", &large).expect("kept").0, 201);
    // Twenty of them take no byte of the 20 MiB that they asked for.
    let lazy: Vec<Client> = (0..20)
        .map(|_| {
            let mut lazy = Client::connect(&server.address).expect("a connection");
            let ask = "GET /large HTTP/1.1\r\n\r\n".repeat(20);
            lazy.send(ask.as_bytes()).expect("it listens");
            lazy
        })
        .collect();
    for i in 0..50 {
        let value = format!("value {i}");
        assert_eq!(
            client
                .ask("PUT", "small", value.as_bytes())
                .expect("kept")
                .0
                / 100,
            2
        );
        assert_eq!(
            client.ask("GET", "small", b"").expect("there").1,
            value.as_bytes()
        );
    }
    for mut lazy in lazy {
        for _ in 0..20 {
            assert!(lazy.receive().expect("in the end") == (200, large.clone()));
        }
    }
}

/// The number of the only child of a process.
fn child(of: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    Pid::from_raw(children.trim().parse().ok()?)
}

/// What stopping a container does, in the middle of traffic: the kernel drops signals for a first
/// process that does not handle them.
#[test]
fn a_first_process_ends_when_it_is_asked_to() {
    let kv = App::of("kv");
    let tried = kv.contained().arg("?").output().expect("unshare");
    if tried.status.code() != Some(2) {
        println!(
            "apps: no container: {}",
            String::from_utf8_lossy(&tried.stderr)
        );
        return;
    }
    let mut kept = Values::new();
    for (round, signal) in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT]
        .into_iter()
        .enumerate()
    {
        let mut server = Server::started(&mut kv.contained());
        let first = child(server.id()).expect("the first process");
        let (address, done) = (server.address.clone(), AtomicUsize::new(0));
        let before = std::mem::take(&mut kept);
        let story = thread::scope(|scope| {
            let client = scope.spawn(|| change(&address, 0, round, before, &done));
            while done.load(Ordering::SeqCst) < 40 && !client.is_finished() {
                thread::sleep(Duration::from_millis(1));
            }
            kill_process(first, signal).expect("it runs");
            client.join().expect("a client")
        });
        assert_eq!(server.wait().code(), Some(128 + signal.as_raw()));
        let server = Server::start(&kv, &[]);
        kept = compare(&server.address, 0, story);
    }
    kv.scrub();
}
