//! The arguments as a command.
//!
//! Invariants:
//! - spec 00 §16: a command word is the command, an argument that starts with `-` is an option,
//!   anything else is a seed file;
//! - nothing after the seed file is looked at: it belongs to the program;
//! - arguments are bytes; only command words and options are compared with text.

use super::message::Shown;
use crate::seed::Version;
use crate::wisp::read::Dialect;
use alloc::vec::Vec;
use core::fmt;
pub use seed::Seed;

mod seed;

/// What the arguments ask for. Slices are those of the arguments, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// `plan --help`, `plan CMD --help`.
    Help(Topic),
    /// `plan --version`.
    Version,
    /// `plan FILE [ARG…]`, `plan run FILE [ARG…]`: run the seed `file` with `args`.
    Run {
        /// Path of the seed.
        file: &'a [u8],
        /// The program's arguments.
        args: &'a [&'a [u8]],
        /// Microseconds it may take; 0: as long as it likes.
        timeout: u64,
    },
    /// `plan rpn`: the console on standard input and output.
    Rpn,
    /// `plan rpn test`: the self-tests of the console.
    RpnTest,
    /// `plan seed …`.
    Seed(Seed<'a>),
    /// `plan image …`.
    Image(Image<'a>),
    /// `plan boot FILE.seed OUT`: an image of a seed.
    Boot {
        /// Path of the seed.
        file: &'a [u8],
        /// Path of the image.
        output: &'a [u8],
    },
    /// `plan build …`: an image of a Wisp program.
    Build(Wisp<'a>),
    /// `plan wisp …`: load Wisp files and run `main`.
    Wisp(Wisp<'a>),
    /// `plan`, `plan repl …`: the prompt, or the program on standard input.
    Repl(Wisp<'a>),
}

/// What `plan image` is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image<'a> {
    /// With what aim.
    pub task: Task,
    /// The image.
    pub path: &'a [u8],
    /// How the report is to be.
    pub form: Form,
    /// `export`: the seed to write.
    pub output: Option<&'a [u8]>,
    /// `export`: of which version.
    pub version: Version,
}

/// How a report about an image is to be.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Form {
    /// As JSON.
    pub json: bool,
    /// `info`: without what takes time in proportion to the image.
    pub quick: bool,
}

/// The subcommands of `plan image`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Say what the image is and what it holds.
    Info,
    /// Check every object.
    Scrub,
    /// Give back the pages that nothing reaches.
    Collect,
    /// Put this runtime under the region.
    Upgrade,
    /// Write the committed value as a seed.
    Export,
}

impl Task {
    /// The task of this name, such as `info`.
    pub fn named(name: &[u8]) -> Option<Task> {
        Some(match name {
            b"info" => Task::Info,
            b"scrub" => Task::Scrub,
            b"collect" => Task::Collect,
            b"upgrade" => Task::Upgrade,
            b"export" => Task::Export,
            _ => return None,
        })
    }

    /// The command, such as `image info`.
    pub fn command(self) -> &'static str {
        [
            "image info",
            "image scrub",
            "image collect",
            "image upgrade",
            "image export",
        ][self as usize]
    }
}

/// Whether and how forms and values are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transcript {
    /// Not at all.
    None,
    /// Without colour.
    Plain,
    /// With the colours of a terminal.
    Color,
}

/// What `plan wisp` is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wisp<'a> {
    /// The command, for messages.
    pub command: &'static str,
    /// The files to load, in order; `-` is standard input.
    pub files: Vec<&'a [u8]>,
    /// An expression to evaluate after them, whose values are printed.
    pub expression: Option<&'a [u8]>,
    /// Directories in which required files are looked for.
    pub search: Vec<&'a [u8]>,
    /// Whether forms and values are shown.
    pub transcript: Transcript,
    /// Accept what the reference implementation accepts.
    pub lenient: bool,
    /// Warn of what is often a mistake but not always.
    pub warn: bool,
    /// The dialect, if the option gives it.
    pub dialect: Option<Dialect>,
    /// Stop after loading.
    pub no_main: bool,
    /// Hide the built-in library.
    pub no_std: bool,
    /// The program's arguments.
    pub args: Vec<&'a [u8]>,
    /// `seed save`: the seed to write, or the directory for `--library`.
    pub output: Option<&'a [u8]>,
    /// `seed save`: the name whose value is saved.
    pub entry: Option<&'a [u8]>,
    /// `seed save`: of which version.
    pub version: Version,
    /// Microseconds that all of it may take; 0: as long as it likes.
    pub timeout: u64,
}

impl Default for Wisp<'_> {
    fn default() -> Self {
        Wisp {
            command: PROMPT,
            files: Vec::new(),
            expression: None,
            search: Vec::new(),
            transcript: Transcript::None,
            lenient: false,
            warn: false,
            dialect: None,
            no_main: false,
            no_std: false,
            args: Vec::new(),
            output: None,
            entry: None,
            version: Version::V1,
            timeout: 0,
        }
    }
}

impl Wisp<'_> {
    /// What happens to the value, for messages.
    pub fn saved(&self) -> &'static str {
        if self.command == BUILD {
            "built"
        } else {
            "saved"
        }
    }
}

/// Which help is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// The whole tool.
    All,
    /// `plan run`.
    Run,
    /// `plan rpn`.
    Rpn,
    /// `plan seed`.
    Seed,
    /// `plan wisp`.
    Wisp,
    /// `plan repl`.
    Repl,
    /// `plan image`.
    Image,
    /// `plan boot`.
    Boot,
    /// `plan build`.
    Build,
}

/// A wrong command line; prints as the text after `plan: `.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage<'a> {
    /// An argument that starts with `-` and is not known here: command (empty for none), argument.
    UnknownOption(&'static str, &'a [u8]),
    /// A command without the operand it needs: command, operand.
    Missing(&'static str, &'static str),
    /// An operand a command has no use for: command, operand.
    Superfluous(&'static str, &'a [u8]),
    /// A time that is none.
    BadTime(&'a [u8]),
    /// A dialect that there is not.
    BadDialect(&'a [u8]),
    /// An option that may stand only once: command, option.
    Twice(&'static str, &'static str),
}

impl fmt::Display for Usage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Usage::UnknownOption("", word) => {
                write!(f, "unknown option: {} (try plan --help)", Shown(word))
            }
            Usage::UnknownOption(command, word) => {
                write!(
                    f,
                    "{command}: unknown option: {} (try plan {command} --help)",
                    Shown(word)
                )
            }
            Usage::BadTime(word) => write!(
                f,
                "--timeout {}: no number of seconds (use a number such as 10 or 0.5)",
                Shown(word)
            ),
            Usage::BadDialect(word) => write!(
                f,
                "--dialect {}: no such dialect (use classic or spec)",
                Shown(word)
            ),
            Usage::Twice(command, option) => write!(
                f,
                "{command}: {option} is given twice (try plan {command} --help)"
            ),
            Usage::Missing(command, operand) => {
                write!(
                    f,
                    "{command}: no {operand} given (try plan {command} --help)"
                )
            }
            Usage::Superfluous(command, word) => {
                write!(
                    f,
                    "{command}: unexpected {} (try plan {command} --help)",
                    Shown(word)
                )
            }
        }
    }
}

/// The command that the arguments after the program name ask for.
pub fn parse<'a>(words: &'a [&'a [u8]]) -> Result<Command<'a>, Usage<'a>> {
    let Some((&first, rest)) = words.split_first() else {
        return Ok(Command::Repl(Wisp::default()));
    };
    match first {
        b"--help" => Ok(Command::Help(Topic::All)),
        b"--version" => Ok(Command::Version),
        b"run" => run(rest, 0),
        b"rpn" => rpn(rest),
        b"wisp" => wisp(rest, false),
        b"repl" => wisp(rest, true),
        b"image" if wants_help(rest) => Ok(Command::Help(Topic::Image)),
        b"image" => image(rest).map(Command::Image),
        b"seed" if wants_help(rest) => Ok(Command::Help(Topic::Seed)),
        b"seed" => seed::parse(rest).map(Command::Seed),
        b"boot" if wants_help(rest) => Ok(Command::Help(Topic::Boot)),
        b"boot" => boot(rest),
        b"build" if wants_help(rest) => Ok(Command::Help(Topic::Build)),
        b"build" => program(rest, BUILD).map(Command::Build),
        word if word.starts_with(b"-") => Err(Usage::UnknownOption("", word)),
        _ => run(words, 0),
    }
}

/// `run [--timeout SECONDS] [--] FILE [ARG…]`; after `--` the file may start with `-`.
fn run<'a>(words: &'a [&'a [u8]], timeout: u64) -> Result<Command<'a>, Usage<'a>> {
    match words {
        [b"--help", ..] => Ok(Command::Help(Topic::Run)),
        [b"--timeout", time, rest @ ..] => run(rest, micros(time)?),
        [b"--timeout"] => Err(Usage::Missing("run", "number of seconds")),
        [word, rest @ ..] if word.starts_with(b"--timeout=") => {
            run(rest, micros(&word[b"--timeout=".len()..])?)
        }
        [b"--", file, args @ ..] => Ok(Command::Run {
            file,
            args,
            timeout,
        }),
        [] | [b"--"] => Err(Usage::Missing("run", "seed file")),
        [word, ..] if word.starts_with(b"-") => Err(Usage::UnknownOption("run", word)),
        [file, args @ ..] => Ok(Command::Run {
            file,
            args,
            timeout,
        }),
    }
}

/// A time in seconds, with at most six decimals, in microseconds; not 0, at most 10^9 seconds.
fn micros(word: &[u8]) -> Result<u64, Usage<'_>> {
    let mut parts = word.splitn(2, |byte| *byte == b'.');
    let (seconds, decimals) = (parts.next().unwrap_or(b""), parts.next());
    let fraction = decimals.unwrap_or(b"0");
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let short = seconds.len() <= 9 && fraction.len() <= 6;
    if !(short && digits(seconds) && digits(fraction)) {
        return Err(Usage::BadTime(word));
    }
    let padding = core::iter::repeat_n(&b'0', 6 - fraction.len());
    let all = seconds.iter().chain(fraction).chain(padding);
    match all.fold(0, |n, digit| 10 * n + u64::from(digit - b'0')) {
        0 => Err(Usage::BadTime(word)),
        micros => Ok(micros),
    }
}

/// Whether `--help` is among the options.
fn wants_help(words: &[&[u8]]) -> bool {
    let mut options = words.iter().take_while(|word| **word != b"--");
    options.any(|word| *word == b"--help")
}

/// `wisp [OPTION…] FILE… [-- ARG…]`, options and files in any order before `--`; or, for the prompt,
/// `repl [OPTION…]`.
fn wisp<'a>(words: &'a [&'a [u8]], prompt: bool) -> Result<Command<'a>, Usage<'a>> {
    Ok(match (wants_help(words), prompt) {
        (true, true) => Command::Help(Topic::Repl),
        (true, false) => Command::Help(Topic::Wisp),
        (false, true) => Command::Repl(program(words, PROMPT)?),
        (false, false) => Command::Wisp(program(words, "wisp")?),
    })
}

/// `boot [--] FILE.seed OUT`.
fn boot<'a>(words: &'a [&'a [u8]]) -> Result<Command<'a>, Usage<'a>> {
    let operands = match words {
        [b"--", operands @ ..] => operands,
        [word, ..] | [_, word, ..] if word.starts_with(b"-") => {
            return Err(Usage::UnknownOption("boot", word));
        }
        operands => operands,
    };
    match operands {
        [] => Err(Usage::Missing("boot", "seed file")),
        [_] => Err(Usage::Missing("boot", "output file")),
        [file, output] => Ok(Command::Boot { file, output }),
        [_, _, word, ..] => Err(Usage::Superfluous("boot", word)),
    }
}

/// `image TASK [OPTION…] IMG`, options and image in any order.
fn image<'a>(words: &'a [&'a [u8]]) -> Result<Image<'a>, Usage<'a>> {
    let Some((&name, rest)) = words.split_first() else {
        return Err(Usage::Missing("image", "subcommand"));
    };
    let task = Task::named(name).ok_or(Usage::Superfluous("image", name))?;
    let (command, export) = (task.command(), task == Task::Export);
    let (mut path, mut form, mut version) = (None, Form::default(), Version::V1);
    let mut output = None;
    let mut words = rest.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"-o" if export && output.is_some() => return Err(Usage::Twice(command, "-o")),
            b"-o" if export => output = words.next(),
            b"--v2" if export => version = Version::V2,
            b"--json" if !export && task != Task::Upgrade => form.json = true,
            b"--quick" if task == Task::Info => form.quick = true,
            word if word.starts_with(b"-") => return Err(Usage::UnknownOption(command, word)),
            word if path.is_some() => return Err(Usage::Superfluous(command, word)),
            word => path = Some(word),
        }
    }
    if export && output.is_none() {
        return Err(Usage::Missing(command, "output file"));
    }
    Ok(Image {
        task,
        path: path.ok_or(Usage::Missing(command, "image"))?,
        form,
        output,
        version,
    })
}

/// The command that saves a program.
const SAVE: &str = "seed save";
/// The command that makes an image of one.
const BUILD: &str = "build";
/// The command that shows a prompt.
const PROMPT: &str = "repl";

/// Options and files of a Wisp program that this command is to run, to save or to ask for.
fn program<'a>(words: &'a [&'a [u8]], command: &'static str) -> Result<Wisp<'a>, Usage<'a>> {
    let (build, prompt) = (command == BUILD, command == PROMPT);
    let save = build || command == SAVE;
    let mut wisp = Wisp {
        command,
        ..Wisp::default()
    };
    let mut words = words.iter().copied();
    while let Some(whole) = words.next() {
        let (word, value) = halves(whole);
        let mut operand = |what| match value {
            Some(value) => Ok(value),
            None => words.next().ok_or(Usage::Missing(command, what)),
        };
        match word {
            b"-o" if save && wisp.output.is_some() => return Err(Usage::Twice(command, "-o")),
            b"-o" if save => wisp.output = Some(operand("output file")?),
            b"--entry" if save => wisp.entry = Some(operand("name")?),
            b"--v2" if save && !build => wisp.version = Version::V2,
            b"-e" | b"--" | b"--timeout" | b"--no-main" if prompt => {
                return Err(Usage::UnknownOption(command, word));
            }
            b"--" if save => wisp.files.extend(words.by_ref()),
            b"--" => {
                wisp.args = words.collect();
                break;
            }
            b"-e" if wisp.expression.is_some() => return Err(Usage::Twice(command, "-e")),
            b"-e" => {
                wisp.expression = Some(operand("expression")?);
            }
            b"-I" => wisp.search.push(operand("directory")?),
            b"--timeout" => {
                wisp.timeout = micros(operand("number of seconds")?)?;
            }
            b"--transcript" | b"--transcript=plain" => wisp.transcript = Transcript::Plain,
            b"--transcript=color" => wisp.transcript = Transcript::Color,
            b"--lenient" => wisp.lenient = true,
            b"-W" => wisp.warn = true,
            b"--no-main" => wisp.no_main = true,
            b"--no-std" => wisp.no_std = true,
            b"--dialect" => wisp.dialect = Some(dialect(operand("name")?)?),
            word if word.len() > 1 && word.starts_with(b"-") => {
                return Err(Usage::UnknownOption(command, whole));
            }
            word if prompt => return Err(Usage::Superfluous("repl", word)),
            file => wisp.files.push(file),
        }
    }
    if build && wisp.output.is_none() {
        return Err(Usage::Missing(command, "output file (-o OUT)"));
    }
    if !prompt && wisp.files.is_empty() && wisp.expression.is_none() {
        return Err(Usage::Missing(command, "file"));
    }
    Ok(wisp)
}

/// An option that takes a value, and the value behind its `=`; any other argument as it is.
fn halves(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    let options: [&[u8]; 3] = [b"--timeout", b"--entry", b"--dialect"];
    let value = |option: &[u8]| word.strip_prefix(option)?.strip_prefix(b"=");
    let found = options
        .iter()
        .find_map(|option| Some((*option, value(option)?)));
    found.map_or((word, None), |(option, value)| (option, Some(value)))
}

/// The dialect of this name.
fn dialect(name: &[u8]) -> Result<Dialect, Usage<'_>> {
    match name {
        b"classic" => Ok(Dialect::Classic),
        b"spec" => Ok(Dialect::Spec),
        name => Err(Usage::BadDialect(name)),
    }
}

/// `rpn` takes nothing but `test`.
fn rpn<'a>(words: &'a [&'a [u8]]) -> Result<Command<'a>, Usage<'a>> {
    match words {
        [] => Ok(Command::Rpn),
        [b"test"] => Ok(Command::RpnTest),
        [b"--help", ..] => Ok(Command::Help(Topic::Rpn)),
        [word, ..] if word.starts_with(b"-") => Err(Usage::UnknownOption("rpn", word)),
        [b"test", word, ..] | [word, ..] => Err(Usage::Superfluous("rpn", word)),
    }
}

#[cfg(test)]
mod tests;
