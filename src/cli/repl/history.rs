//! The history file: one entry a line, `\n` and `\\` for line ends and backslashes in it.
//!
//! Invariants:
//! - Whatever goes wrong with the file is no error of the session: there is then no history.
//! - An entry is appended in one write, under a lock that also whoever shortens the file holds, so two
//!   sessions lose nothing to each other.
//! - Only the user may read it: mode 0600, directories that are made for it 0700.

use super::words::Words;
use crate::os::env::Args;
use crate::os::{Errno, file};
use crate::wisp::text::{join, put};
use alloc::vec::Vec;

/// Entries kept.
const MAX_ENTRIES: usize = 10_000;
/// Entries beyond those before the file is shortened.
const SLACK: usize = 1_000;
/// Bytes of an entry that is kept.
const MAX_ENTRY: usize = 64 * 1024;

/// Where the history lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// None: nothing is kept.
    path: Option<Vec<u8>>,
}

impl History {
    /// The file that the environment names: `PLAN_HISTORY` (empty: none), else `plan/history` in
    /// `XDG_STATE_HOME`, else in `~/.local/state`.
    pub fn find(args: &Args) -> History {
        let kept = args.var(b"PLAN_HISTORY");
        let (state, home) = (args.var(b"XDG_STATE_HOME"), args.var(b"HOME"));
        let absolute = |value: &&[u8]| value.starts_with(b"/");
        let path = if let Some(path) = kept {
            (!path.is_empty()).then(|| path.to_vec())
        } else if let Some(state) = state.filter(absolute) {
            Some(join(&[state, b"/plan/history"]))
        } else {
            let home = home.filter(absolute);
            home.map(|home| join(&[home, b"/.local/state/plan/history"]))
        };
        History { path }
    }

    /// The entries, oldest first; shortens a file that has grown too long.
    pub fn load(&self) -> Words {
        let mut entries = Words::default();
        let Some(path) = &self.path else {
            return entries;
        };
        let Ok(bytes) = file::read_whole(path) else {
            return entries;
        };
        let count = lines(&bytes);
        if count > MAX_ENTRIES + SLACK {
            // It stays as long as it is where it cannot be shortened.
            let _ = shorten(path);
        }
        for line in bytes[start_of_last(&bytes, MAX_ENTRIES)..].split(|b| *b == b'\n') {
            if !line.is_empty() {
                entries.push(&decode(line));
            }
        }
        entries
    }

    /// Appends an entry.
    pub fn add(&self, entry: &[u8]) {
        if let Some(path) = &self.path
            && entry.len() <= MAX_ENTRY
        {
            make_directories(path);
            // An entry that cannot be kept is not worth a message at each prompt.
            let _ = append(path, &encode(entry));
        }
    }
}

/// Makes the directories of a path that are missing.
fn make_directories(path: &[u8]) {
    let slashes = (1..path.len()).filter(|i| path[*i] == b'/');
    let missing = slashes.filter(|i| file::open_read(&path[..*i]).is_err());
    for end in missing {
        // The first that cannot be made shows itself when the file is opened.
        let _ = file::make_directory(&path[..end], 0o700);
    }
}

/// Appends a line to the file, which may have been replaced by a shorter one while this waited.
fn append(path: &[u8], line: &[u8]) -> Result<(), Errno> {
    loop {
        let file = file::open_append(path, 0o600)?;
        file::lock(file.fd())?;
        if file::stat(file.fd())?.links > 0 {
            return file::write_all(file.fd(), line);
        }
    }
}

/// Puts the newest entries into a new file and that in the place of the old one.
fn shorten(path: &[u8]) -> Result<(), Errno> {
    let old = file::open_append(path, 0o600)?;
    file::lock(old.fd())?;
    let Ok(bytes) = file::read_whole(path) else {
        return Ok(());
    };
    let start = start_of_last(&bytes, MAX_ENTRIES);
    let name = join(&[path, b".new"]);
    let new = file::create(&name, 0o600)?;
    file::write_all(new.fd(), &bytes[start..])?;
    new.close()?;
    file::rename(&name, path)
}

/// Number of lines that are ended.
fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'\n').count()
}

/// Offset of the last `count` lines.
fn start_of_last(bytes: &[u8], count: usize) -> usize {
    let mut surplus = lines(bytes).saturating_sub(count);
    let mut at = 0;
    while surplus > 0 {
        surplus -= usize::from(bytes[at] == b'\n');
        at += 1;
    }
    at
}

fn encode(entry: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    for byte in entry {
        match byte {
            b'\n' => put(&mut line, &[b"\\n"]),
            b'\\' => put(&mut line, &[b"\\\\"]),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

fn decode(line: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    let mut escaped = false;
    for byte in line {
        if *byte == b'\\' && !escaped {
            escaped = true;
            continue;
        }
        let end = escaped && *byte == b'n';
        entry.push(if end { b'\n' } else { *byte });
        escaped = false;
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::env::testing::stack_of;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn found(vars: &[&str]) -> Option<String> {
        let path = History::find(&stack_of(&["plan"], vars, &[])).path?;
        Some(String::from_utf8_lossy(&path).into_owned())
    }

    #[test]
    fn the_environment_names_the_file() {
        let home = "HOME=/h";
        let cases = [
            (&[home, "PLAN_HISTORY=x"][..], Some("x")),
            (&[home, "PLAN_HISTORY="], None),
            (&[home, "XDG_STATE_HOME=/s"], Some("/s/plan/history")),
            (
                &[home, "XDG_STATE_HOME=s"],
                Some("/h/.local/state/plan/history"),
            ),
            (&[home], Some("/h/.local/state/plan/history")),
            (&["HOME="], None),
        ];
        for (vars, path) in cases {
            assert_eq!(found(vars).as_deref(), path, "{vars:?}");
        }
    }

    #[test]
    fn entries_of_any_bytes_come_back() {
        for entry in [&b"(a)"[..], b"a\nb\\n\\\n", b"\xff\\", b"\\"] {
            let line = encode(entry);
            assert!(line.ends_with(b"\n") && !line[..line.len() - 1].contains(&b'\n'));
            assert_eq!(decode(&line[..line.len() - 1]), entry);
        }
    }

    /// A history in a new directory of this test alone.
    fn scratch(name: &str) -> (PathBuf, History) {
        let name = format!("plan-history-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let file = dir.join("a/b");
        let path = Some(file.as_os_str().as_bytes().to_vec());
        (file, History { path })
    }

    #[test]
    fn two_sessions_append_and_a_long_file_is_shortened() {
        let (file, history) = scratch("append");
        assert_eq!(history.load().len(), 0);
        let add = |session: usize| {
            let history = history.clone();
            std::thread::spawn(move || {
                for i in 0..(MAX_ENTRIES + SLACK) / 2 {
                    history.add(format!("{session} {i}").as_bytes());
                }
            })
        };
        let sessions = [add(1), add(2)];
        sessions.into_iter().for_each(|s| s.join().unwrap());
        assert_eq!(history.load().len(), MAX_ENTRIES);
        let lines = || std::fs::read(&file).unwrap().split(|b| *b == b'\n').count() - 1;
        assert_eq!(lines(), MAX_ENTRIES + SLACK);
        history.add(b"last");
        assert_eq!(history.load().len(), MAX_ENTRIES);
        assert_eq!(lines(), MAX_ENTRIES);
        assert_eq!(history.load().get(MAX_ENTRIES - 1), b"last");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        std::fs::remove_dir_all(file.parent().unwrap().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_is_no_history() {
        let path = Some(b"/dev/null/x".to_vec());
        let history = History { path };
        history.add(b"x");
        assert!(history.load().len() == 0);
        let none = History { path: None };
        none.add(b"x");
        assert!(none.load().len() == 0);
    }
}
