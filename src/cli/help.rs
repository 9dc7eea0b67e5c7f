//! The texts of `--help` and `--version`.
//!
//! Invariants:
//! - every text fits 80 columns and ends with a line end;
//! - a command is listed here exactly when this version has it.

use super::args::Topic;

/// What `plan --version` prints.
pub const VERSION: &str = concat!("plan ", env!("CARGO_PKG_VERSION"), "\n");

/// What `plan --help` prints.
const ALL: &str = "\
plan runs PLAN programs.

usage:
  plan FILE.seed [ARG...]       run a seed with these arguments
  plan run FILE.seed [ARG...]   the same; also for a file named like a command
  plan wisp FILE... [-- ARG...] load Wisp files and run their main
  plan, plan repl               evaluate what is typed at a prompt
  plan < FILE                   load a Wisp file, showing every form and value
  plan rpn                      the RPN console, on standard input and output
  plan seed check FILE...       is this a well-formed seed?
  plan seed dump FILE           print what a seed holds
  plan seed save FILE -o OUT    write a Wisp program as a seed
  plan build FILE -o OUT        make an executable of a Wisp program
  plan boot FILE.seed OUT       make an executable of a seed
  plan image info IMG           what such an executable holds; also scrub,
                                collect, upgrade, export
  plan CMD --help               more about a command
  plan --version                name and version

exit status:
  the program's result modulo 256, or
  0   end of input in the console or of a Wisp file; help, version
  1   <<loop>>: a value depends on itself; an error in the console or in Wisp
  2   wrong command line
  3   a file that cannot be read or written, or malformed input
  4   an image that cannot be used: damaged, in use, of an unknown format
  9   an exception that nobody caught
  70  an internal error, or the system refuses what plan needs to start

environment:
  PLAN_JETS=strict   replace a function by its fast version only if its body
                     is known, not by its name alone
  PLAN_GC=log        print a line about every collection of memory; PLAN_GC=N
                     collects pins at every Nth collection of the moving heap;
                     log,N does both
  PLAN_STATS=1       print counters of time and memory at the end
  PLAN_THREADS=N     evaluate in parallel on N threads; unless set, one for each
                     processor
  PLAN_VERIFY=1      check the whole heap after every collection (slow), and
                     an image before it is run
  PLAN_STRESS=1      collect at every allocation (very slow)
";

const RUN: &str = "\
usage: plan FILE.seed [ARG...]
       plan run [--timeout SECONDS] [--] FILE.seed [ARG...]

Loads a seed and applies its value to one argument: the row of the ARGs, each
a natural number whose bytes are the characters, first byte lowest; 0 if there
are none. The result, if it is a natural number, modulo 256 is the exit status;
any other result gives 0. All ARGs go to the program, also those that start
with a dash.

A malformed seed is refused before anything runs: one line with the reason and
the place, status 3. An exception that nobody catches ends with status 9, and so
does a program that runs longer than the time limit: that is the VM error
limit with detail 3, which the program cannot catch.
";

const RPN: &str = "\
usage: plan rpn [test]

Reads words from standard input and executes them on a stack of values: numbers
and \"text\" are pushed, A applies, E evaluates, F forces, L makes a law, P pins,
. prints. docs/spec/04-rpn-console.md describes every word. Results and errors
of the console go to standard output. The first error ends the console. Status 0
at the end of input, 1 after an error, 3 after input that ends inside a string
or a seed that cannot be loaded, 9 after an exception that nobody caught.

plan rpn test runs the self-tests of the console.

  $ echo '1 2 + .' | plan rpn
  3
";

const SEED: &str = "\
usage: plan seed check [--strict] FILE...
       plan seed dump FILE
       plan seed save [OPTION...] FILE.wisp... -o OUT.seed
       plan seed save [--v2] FILE.rpn -o OUT.seed

A seed is a file that holds one PLAN value (docs/spec/03-seed-format.md).

  check  reads each file as the loader does, without running it; prints the
         reason and the place for each that is not well-formed, status 3;
         --strict: refuse also what a careful writer would not write
  dump   prints the value of a seed, unevaluated
  save   evaluates Wisp files as plan wisp does and writes the value of main,
         with what it reaches, as a seed; or executes a console file and writes
         the value left on top

  --entry NAME    write the value of NAME instead of main
  -e FORM         write the value of FORM, evaluated after the files
  --v2            write format version 2 instead of 1
  -I DIR, --no-std, -W, --lenient, --timeout SECONDS
                  as for plan wisp
";

const WISP: &str = "\
usage: plan wisp [OPTION...] FILE... [-- ARG...]
       plan wisp [OPTION...] [FILE...] -e EXPR

Evaluates the forms of the files in order (docs/spec/06-wisp.md describes the
language), then, if the files define main, applies it to the row of the ARGs;
its result modulo 256 is the exit status. FILE - is standard input. A file may
begin with (require \"NAME\"): NAME.lisp or NAME.wisp, or the module NAME of the
built-in library, is loaded before it. An expression without a file may use the
whole library.

  -e EXPR         evaluate EXPR after the files and print its value
  -I DIR          look for required files in DIR too
  --timeout SECONDS
                  stop the run after that time, with status 9
  --transcript[=plain|color]
                  print every form and its value on standard error
  --no-main       stop after loading
  -W              warn of more that may be a mistake
  --lenient       accept the mistakes that the reference implementation accepts
  --dialect=classic|spec
                  the rules of the language: those of its library, or the newer
                  ones (experimental: no library, the transcript is the expanded
                  forms on standard output); without the option the first line
                  of the first file may say so: ; dialect: spec
  --no-std        hide the built-in library

A mistake is reported with file, line and column on standard error, and ends
the run with status 1, or 3 if the file cannot be read or required.

  $ plan wisp -e '(Add 2 3)'
  5
";

const REPL: &str = "\
usage: plan repl [OPTION...]
       plan

On a terminal: reads Wisp forms at a prompt, shows their values, and goes on
after mistakes. An entry ends with Enter when no bracket and no string is open.
:help lists the commands of the prompt and the keys. (require \"NAME\") at the
start of an entry loads NAME.wisp or NAME.lisp of the working directory, of the
directories of -I, or the module NAME of the built-in library. Status 0.

Values go to standard output. Prompt and typing do too if that is a terminal,
otherwise they go to standard error, so that values can be sent to a file. With
TERM=dumb, or none, lines are read without the editor. With NO_COLOR set, or a
standard output that is no terminal, there are no colours.

If a form replaces __REPL, the new loop gets the rest of the entry and every
later entry; the environment it has at the end of one is that for the next.

If standard input is no terminal: evaluates it as a program, showing each form
and value on standard error, as plan without arguments does.

  -I DIR      look for required files in DIR too
  --no-std    do not load the built-in library at the start
  -W          warn of what is often a mistake but not always
  --lenient   accept the mistakes that the reference implementation accepts

environment:
  PLAN_HISTORY   the history file, empty for none; otherwise plan/history in
                 XDG_STATE_HOME or in ~/.local/state
  NO_COLOR       no colours if this is set and not empty
";

const BOOT: &str = "\
usage: plan boot FILE.seed OUT

Makes an image: an executable file OUT that holds the program of the seed and
what it commits. OUT needs no other file and takes all its arguments for the
program. An OUT that is there is replaced when the new one is complete; if it
is running it goes on as it was.

The value of the seed is forced and pinned. Started, OUT applies its committed
value to the row of its arguments, as plan FILE.seed does; after a commit the
next start applies what was committed.
";

const BUILD: &str = "\
usage: plan build [OPTION...] FILE.wisp... -o OUT

Evaluates Wisp files as plan wisp does and makes an image OUT of the value of
main: as plan seed save and then plan boot.

  --entry NAME    build the value of NAME instead of main
  -e FORM         build the value of FORM, evaluated after the files
  -I DIR, --no-std, -W, --lenient, --timeout SECONDS
                  as for plan wisp
";

const IMAGE: &str = "\
usage: plan image info [--quick] [--json] IMG
       plan image scrub [--json] IMG
       plan image collect [--json] IMG
       plan image upgrade IMG
       plan image export [--v2] IMG -o OUT.seed

An image is an executable with the program and its committed value inside. These
commands work on one that is not running.

  info     what it holds: sizes, generations, the largest pins, damage
  scrub    reads and checks every object; says nothing if all are sound
  collect  gives back the space that no committed value needs
  upgrade  puts this version of plan under the committed value; the image as it
           was stays beside it as IMG.before-upgrade
  export   writes the committed value as a seed

  --json   the report as a JSON object
  --quick  only what is known without reading all of the image

Status 3 for a file that is no image, 4 for an image that cannot be used: it is
damaged, in use, or of an unknown format.
";

/// The help on a topic.
pub fn text(topic: Topic) -> &'static str {
    match topic {
        Topic::All => ALL,
        Topic::Run => RUN,
        Topic::Rpn => RPN,
        Topic::Seed => SEED,
        Topic::Wisp => WISP,
        Topic::Repl => REPL,
        Topic::Image => IMAGE,
        Topic::Boot => BOOT,
        Topic::Build => BUILD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_a_terminal() {
        for text in [VERSION, ALL, RUN, RPN, SEED, WISP, REPL, BOOT, BUILD, IMAGE] {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
            for line in text.lines() {
                assert!(
                    line.len() <= 80 && line.is_ascii() && line.trim_end() == line,
                    "{line}"
                );
            }
        }
    }
}
