//! Images and the tools that copy and rewrite executables.
//!
//! Promises:
//! - what only copies, packs or sends files leaves an image that runs;
//! - what rewrites executables drops the region: then the image says so, with status 4. It never
//!   starts as the tool, and never with an empty region.

#[allow(dead_code)] // only the path of the executable is used here
mod common;
#[path = "common/image.rs"]
mod image;

use image::Scratch;

/// Copies `img` to `copy` in many ways, and runs each copy.
fn copy_and_run(dir: &Scratch, expected: i32) {
    let same = (Some(0), String::new());
    // An older state: longer, and other bytes behind the first page of the region.
    let older = "cp img old && truncate -s +1M old && printf x | dd of=old bs=1 seek=$(($(stat -c %s \
                 img) - 4000)) conv=notrunc 2>/dev/null";
    assert_eq!(dir.shell(older), same);
    for script in [
        "cp --sparse=always img copy",
        "cp --sparse=never img copy",
        "cp --reflink=auto -p img copy",
        "install -m 755 img copy",
        "gzip -kc img | gunzip >copy && chmod +x copy",
        "mkdir t && tar -cSf - img | tar -xSf - -C t && mv t/img copy",
        "cat img >copy && chmod +x copy",
        "dd if=img of=copy bs=1M conv=sparse 2>/dev/null && chmod +x copy",
        "dd if=img of=copy bs=777 2>/dev/null && chmod +x copy",
        "rsync img copy",
        "rsync -S img copy",
        // Over an older state with other holes, as a whole and in place.
        "cp old copy && rsync --ignore-times --no-whole-file img copy",
        "cp old copy && rsync --ignore-times --no-whole-file --inplace img copy",
        "cp old copy && rsync --ignore-times -S --inplace img copy",
        "mv img other && ln other copy && mv other img",
    ] {
        let (status, error) = dir.shell(&format!("rm -f copy; {{ {script}; }} && ./copy"));
        assert_eq!((status, error.as_str()), (Some(expected), ""), "{script}");
        assert_eq!(dir.shell("cmp img copy"), same, "{script}");
    }
}

#[test]
fn copies_run() {
    copy_and_run(&Scratch::with_image("survive-copies"), 0);
}

/// The state is a row that follows from a number; with an argument it becomes the next one. Status 9 if
/// it is not the one there should be.
const PROGRAM: &str = "(require \"std\")
(defun (main n row args)
  (If (planEq row (range n (Add n 30000)))
    (If (IsNat args) 7 (Seq (commit (main (Inc n) (range (Inc n) (Add n 30001)))) 8)) 9))
(define main (main 0 (range 0 30000)))
";

#[test]
fn copies_of_an_image_with_data_and_holes_run() {
    let dir = Scratch::with_image("survive-data");
    std::fs::write(dir.0.join("p.wisp"), PROGRAM).expect("a scratch file");
    let plan = common::plan_path();
    let script = "$0 build p.wisp -o img && for i in 1 2 3 4 5; do ./img next; test $? = 8 || exit 1; \
                  done; $0 image collect img >/dev/null && \
                  test $(($(stat -c %b img) * 512)) -lt $(($(stat -c %s img) - 400000))";
    let script = script.replace("$0", &plan.to_string_lossy());
    assert_eq!(dir.shell(&script), (Some(0), String::new()));
    copy_and_run(&dir, 7);
}

#[test]
fn it_runs_in_a_layer_of_a_container() {
    let dir = Scratch::with_image("survive-layers");
    // A file system in memory below, for those who may not have one on the disk.
    let script = "unshare --mount $0 sh -c 'mkdir m && mount -t tmpfs none m && cd m && \
                  mkdir low up work all && cp ../img low/ && \
                  { mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work all \
                    2>/dev/null || exit 77; } && all/img && all/img && test -e up/img'";
    let user = if dir.shell("test $(id -u) = 0").0 == Some(0) {
        ""
    } else {
        "--map-root-user"
    };
    let got = dir.shell(&script.replace("$0", user));
    if got.0 == Some(77) {
        println!("nobody lets us mount layers: not tested");
        return;
    }
    assert_eq!(got, (Some(0), String::new()));
}

#[test]
fn without_its_region_it_says_so() {
    let dir = Scratch::with_image("survive-rewritten");
    for script in [
        "strip -o copy img",
        "strip --strip-all -o copy img",
        "objcopy img copy",
        "objcopy --add-section .note.test=/etc/hostname img copy",
        "cp img copy && strip copy",
        "head -c $(($(stat -c %s img) / 4096 * 4096 - 12288)) img >copy && chmod +x copy",
    ] {
        let (status, error) =
            dir.shell(&format!("rm -f copy; {{ {script}; }} && ./copy --version"));
        // What a larger executable has written where the region was is no superblock.
        let found = ["persistence region", "too short", "superblock is damaged"];
        let expected = found.iter().any(|why| error.contains(why));
        let line = error.starts_with("plan: image ./copy: ") && error.lines().count() == 1;
        assert!(
            status == Some(4) && line && expected,
            "{script}: {status:?} {error}"
        );
    }
    // Zeros in its place, as of a copy that stopped half-way, are no empty region either.
    let zeros = "cp img copy && truncate -s -16384 copy && truncate -s +65536 copy && ./copy";
    let (status, error) = dir.shell(zeros);
    assert_eq!((status, error.lines().count()), (Some(4), 1), "{error}");
}

#[test]
fn without_its_code_it_is_as_any_static_executable() {
    let dir = Scratch::with_image("survive-parts");
    let program = "echo 'int main(void) { return 0; }' >a.c && cc -static a.c -o static";
    assert_eq!(dir.shell(program), (Some(0), String::new()));
    for part in [
        "--only-section=.text",
        "--only-section=.rodata",
        "--remove-section=.text",
        "--only-keep-debug",
    ] {
        // The shell's word for a signal is its own; what counts is that nothing else runs.
        let script = format!("objcopy {part} $0 copy 2>/dev/null; (./copy) 2>/dev/null");
        let [ours, other] = ["img", "static"].map(|file| dir.shell(&script.replace("$0", file)).0);
        assert_eq!((ours, other), (Some(139), Some(139)), "{part}");
    }
    assert_eq!(dir.shell("./img"), (Some(0), String::new()));
}
