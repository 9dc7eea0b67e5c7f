//! Images made without the command that makes them: the executable, and a region with one commit.

use plan::heap::store::object::Object;
use plan::heap::store::{Error, FileStorage, Options, Root, Source, Store};
use plan::os::durable::is_locked;
use plan::os::file::{open_both, open_read};
use plan::os::image::marked;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Held to write while a file that is going to be executed is open, to read while a process is started:
/// until a new process executes its program it has the files that others have open, and their locks.
static SPAWNING: RwLock<()> = RwLock::new(());

/// Waits until nobody has the file locked. Processes that other tests are starting have the
/// descriptors of this one, and with them its locks, until the kernel closes them.
#[allow(dead_code)] // not every program of tests locks files
pub fn let_go(path: &Path) {
    let file = open_read(path.as_os_str().as_bytes()).expect("it is there");
    let begin = Instant::now();
    while is_locked(file.fd()).expect("the system answers") {
        assert!(begin.elapsed() < Duration::from_secs(60), "still locked");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A source of pins that has none.
struct Empty;

impl Source for Empty {
    fn stored(&mut self, _: u64) -> Option<u64> {
        None
    }

    fn object(&mut self, pin: u64, _: &mut Object) -> Result<(), Error> {
        panic!("nobody has made a pin at {pin:#x}")
    }

    fn placed(&mut self, _: u64, _: u64) {}
}

/// Makes `path` an image whose committed value is the number 0: as a program it does nothing, and
/// its status is 0.
pub fn make_image(path: &Path) {
    let _alone = SPAWNING.write().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = fs::read(crate::common::plan_path()).expect("the executable is readable");
    let region = marked(&mut bytes).expect("the executable has a marker");
    bytes.resize(region as usize, 0);
    fs::write(path, &bytes).expect("the image can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let file = open_both(path.as_os_str().as_bytes()).expect("it is there");
    let file = FileStorage::new(file, true).expect("nobody else has it");
    let mut store = Store::create(file, region, Options::default()).expect("there is no region");
    store
        .commit(&mut Empty, Root::Natural(0))
        .expect("the disk takes it");
    store.settle();
}

/// A directory of one test, removed when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A new directory with an image `img` in it.
    pub fn with_image(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("plan-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a temporary directory can be made");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("it is ours");
        make_image(&dir.join("img"));
        Scratch(dir)
    }

    /// What a shell does in the directory: status, and standard error.
    pub fn shell(&self, script: &str) -> (Option<i32>, String) {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", script]).current_dir(&self.0);
        for name in ["PLANCMD", "PLAN_READONLY", "PLAN_VERIFY", "PLAN_STRESS"] {
            shell.env_remove(name);
        }
        shell.stdin(Stdio::null());
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawning = SPAWNING.read().unwrap_or_else(PoisonError::into_inner);
        let child = shell.spawn().expect("there is a shell");
        drop(spawning);
        let output = child.wait_with_output().expect("its output can be read");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), error)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}
