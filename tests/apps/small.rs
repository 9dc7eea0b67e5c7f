//! The counter, the to-do list, and the growth of an image with a large state.

use crate::App;
use crate::support::{End, Plan, scratch_dir};

#[test]
fn the_counter_counts_its_runs() {
    let counter = App::of("counter");
    for n in 1..=12 {
        counter.says(&[], &format!("{n}\n"), "", 0);
    }
    let twin = counter.copy("twin");
    counter.says(&["reset"], "the next run is number 1\n", "", 0);
    counter.says(&[], "1\n", "", 0);
    twin.says(&[], "13\n", "", 0);
    let complaint = "counter: what is wanted? (nothing counts on, reset begins again)\n";
    counter.says(&["reset", "now"], "", complaint, 2);
    counter.says(&[], "2\n", "", 0);
    counter.scrub();
}

#[test]
fn the_list_is_kept_from_run_to_run() {
    let todo = App::of("todo");
    todo.says(&[], "nothing to do\n", "", 0);
    todo.says(&["add", "buy", "milk"], "[ ]   1  buy milk\n", "", 0);
    todo.says(&["add", " call\nBö "], "[ ]   2  call Bö\n", "", 0);
    todo.says(&["add", "sleep"], "[ ]   3  sleep\n", "", 0);
    todo.says(&["done", "2"], "[x]   2  call Bö\n", "", 0);
    todo.says(&["done", "2"], "item 2 is done already\n", "", 0);
    todo.says(&["remove", "1"], "removed: buy milk\n", "", 0);
    let both = "[x]   2  call Bö\n[ ]   3  sleep\n";
    todo.says(&["list"], both, "", 0);
    todo.says(&["clear"], "removed what is done: 1\n", "", 0);
    todo.says(&["clear"], "nothing is done yet\n", "", 0);
    todo.says(&["undo"], both, "", 0);
    let all = "[ ]   1  buy milk\n[x]   2  call Bö\n[ ]   3  sleep\n";
    todo.says(&["undo"], all, "", 0);
    // Numbers are not given twice, but what is taken back was never given.
    todo.says(&["remove", "3"], "removed: sleep\n", "", 0);
    todo.says(&["add", "walk"], "[ ]   4  walk\n", "", 0);
    todo.says(&["undo"], "[ ]   1  buy milk\n[x]   2  call Bö\n", "", 0);
    todo.says(&["undo"], all, "", 0);
    todo.scrub();
}

#[test]
fn the_list_says_what_is_wrong() {
    let todo = App::of("todo");
    let which = "todo: which item? (give one number; todo list shows them)\n";
    todo.says(&["undo"], "", "todo: there is nothing to undo\n", 1);
    let missing = "todo: there is no item 7 (todo list shows all)\n";
    todo.says(&["done", "7"], "", missing, 1);
    for wrong in [&["done"][..], &["done", "x"], &["remove", "1", "2"]] {
        todo.says(wrong, "", which, 2);
    }
    let empty = "todo: what is to be done? (todo add TEXT...)\n";
    todo.says(&["add", " "], "", empty, 2);
    let unknown = "todo: there is no command frob (todo help lists them)\n";
    todo.says(&["frob"], "", unknown, 2);
    assert!(todo.run(&["help"]).out().starts_with("todo add TEXT"));
    todo.says(&["list"], "nothing to do\n", "", 0);
}

/// Only so many changes can be taken back; the list itself has no limit.
#[test]
fn the_list_grows_over_many_runs() {
    let todo = App::of("todo");
    for n in 1..=60 {
        let line = format!("[ ] {n:>3}  item {n}\n");
        todo.says(&["add", &format!("item {n}")], &line, "", 0);
    }
    assert_eq!(todo.run(&[]).out().lines().count(), 60);
    for left in (40..60).rev() {
        assert_eq!(todo.run(&["undo"]).out().lines().count(), left);
    }
    todo.says(&["undo"], "", "todo: there is nothing to undo\n", 1);
    todo.scrub();
}

/// A table that is filled by the first run; every other run changes one value.
const LARGE: &str = r#"(require "std")
(defun (fill n t) (Seq t (if n (fill (Dec n) (table-put (Mul n 7919) ["as it was" n] t)) t)))
(defun (run table args)
  (@ key  (Mul (Ix0 (parse-nat (Ix0 args))) 7919))
  (@ next (if table (table-put key ["changed" (Ix0 args)] table) (fill 100000 0)))
  (@ [n text] (table-get-or 0 key next))
  [next (print-line (fmt "{} {s} {s}" (table-size next) n text))])
(define main (stateful run 0))
"#;

#[test]
fn a_change_of_a_large_table_writes_one_path() {
    let source = scratch_dir("apps-large").join("large.wisp");
    std::fs::write(&source, LARGE).expect("a program");
    let large = App::build(&source, "large");
    let before = large.length();
    large.says(&["5"], "100000 as it was \u{5}\n", "", 0);
    let full = large.length();
    assert!(full - before > 2_000_000, "{before} {full}");
    for n in 1..=40 {
        let key = (n * 2347).to_string();
        let expected = format!("100000 changed {key}\n");
        large.says(&[&key], &expected, "", 0);
    }
    // Two pages of the path at most, and what is not reused of the map of free space.
    let grown = large.length() - full;
    assert!(grown <= 40 * 16384, "{grown} bytes for 40 changes");
    large.scrub();
}

/// An empty directory with the image alone as its root, and the image as first process: no /proc, no
/// /dev, no other file.
#[test]
fn an_image_runs_in_an_empty_container() {
    let counter = App::of("counter");
    for n in 1..=3 {
        let entered = counter.contained().output().expect("unshare");
        let complaint = String::from_utf8_lossy(&entered.stderr).into_owned();
        if n == 1 && complaint.contains("Operation not permitted") {
            // The system does not let anybody have a user namespace; there is no other way in.
            println!("apps: no container: {complaint}");
            return;
        }
        let said = String::from_utf8_lossy(&entered.stdout);
        assert_eq!((&*said, &*complaint), (&*format!("{n}\n"), ""));
        assert_eq!(entered.status.code(), Some(0));
    }
    counter.says(&[], "4\n", "", 0);
}

/// Without the right to write, what is committed can be looked at.
#[test]
fn a_list_can_be_read_where_nothing_can_be_written() {
    let todo = App::of("todo");
    todo.says(&["add", "x"], "[ ]   1  x\n", "", 0);
    let read_only = |args: &[&str]| {
        let run = Plan::new(args.to_vec()).program(&todo.path);
        run.env("PLAN_READONLY", "1").run()
    };
    let listed = read_only(&["list"]);
    assert_eq!(
        (listed.out().as_str(), listed.end),
        ("[ ]   1  x\n", End::Status(0))
    );
    let refused = read_only(&["done", "1"]);
    assert_eq!((refused.out().as_str(), refused.end), ("", End::Status(9)));
    todo.says(&["list"], "[ ]   1  x\n", "", 0);
}
