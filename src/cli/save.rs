//! `plan seed save [OPTION…] FILE… -o OUT`: the value of a Wisp program as a seed (chapter 06 §5.2,
//! §5.3 and §5.6); `plan build` makes an image of that seed.
//!
//! Invariants:
//! - The seed holds what the saved value reaches and nothing else of the environment.
//! - Nothing is written unless all forms were evaluated and the value was forced.
//! - A value that does nothing when it is run as a seed is written all the same, with a warning.

use super::args::Wisp;
use super::arity::warn_of_arity;
use super::message::{self, Shown};
use super::options::Environment;
use super::seed_file::{bad_seed, write};
use super::wisp::{add_expression, assemble, finish, no_library, warn};
use super::{STATUS_EVALUATION, STATUS_OK, STATUS_USAGE, graph, stop};
use crate::machine::Machine;
use crate::os::env::Args;
use crate::prim::jets;
use crate::wisp::name_bytes;
use crate::wisp::{Ended, Library, Rules, Session, Silent, Sources};
use alloc::vec::Vec;

/// The name whose value is saved, unless there is another.
const MAIN: &[u8] = b"main";

/// Loads a program and writes the value of a name or of an expression.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn main(args: &Args, library: Library, wisp: &Wisp) -> Result<i32, i32> {
    let target = wisp.output.ok_or(STATUS_USAGE)?;
    write(target, &seed_of(args, library, wisp)?)?;
    Ok(STATUS_OK)
}

/// Loads a program; gives the value of a name or of an expression as a seed.
///
/// # Errors
/// The exit status, when something went wrong and has been said.
pub fn seed_of(args: &Args, library: Library, wisp: &Wisp) -> Result<Vec<u8>, i32> {
    if wisp.entry.is_some() && wisp.expression.is_some() {
        let command = wisp.command;
        return Err(message::fail(
            STATUS_USAGE,
            format_args!(
                "{command}: --entry and -e exclude each other (try plan {command} --help)"
            ),
        ));
    }
    let mut sources = assemble(args, library, wisp)?;
    let environment = Environment::get(args)?;
    let mut seed = Err(STATUS_OK);
    let status = environment.with_machine(wisp.timeout, |machine| {
        let rules = Rules {
            lenient: wisp.lenient,
            warn: wisp.warn,
            dialect: sources.dialect(),
        };
        let loaded = match Session::new(machine, rules, library) {
            Ok(mut session) => load(&mut session, &mut sources, wisp),
            Err(error) => Err(no_library(machine, &error)),
        };
        seed = loaded.and_then(|()| encode(machine, wisp));
        seed.as_ref().map_or_else(|status| *status, |_| STATUS_OK)
    });
    seed.map_err(|_| status)
}

/// What the messages about a value call the program.
pub fn program<'a>(wisp: &Wisp<'a>) -> &'a [u8] {
    wisp.files.last().copied().unwrap_or(b"-e")
}

/// Evaluates the program and pushes the value to save.
fn load(session: &mut Session, sources: &mut Sources, wisp: &Wisp) -> Result<(), i32> {
    session.wants_entry = true;
    let ended = session.run(sources, 0, &mut Silent);
    warn(session, sources);
    if !matches!(ended, Ended::Done) {
        let status = finish(session, sources, ended);
        return Err(match status {
            STATUS_OK => not_saved(wisp, "its read loop ended before its text"),
            status => status,
        });
    }
    if let Some(at) = add_expression(sources, wisp)? {
        return match session.push_last(sources.text(), at) {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_saved(wisp, "the expression of -e is empty")),
            Err(ended) => Err(finish(session, sources, ended)),
        };
    }
    let name = wisp.entry.unwrap_or(MAIN);
    match session.push_binding(name) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let mut help = session.similar(name).unwrap_or_default();
            if !help.is_empty() {
                help.push(b' ');
            }
            help.extend_from_slice(b"define it, or name another with --entry");
            let (file, name, help) = (Shown(program(wisp)), Shown(name), Shown(&help));
            let saved = wisp.saved();
            Err(message::fail(
                STATUS_EVALUATION,
                format_args!("{file}: not {saved}: {name} is not defined ({help})"),
            ))
        }
        Err(_) => Err(stop::uncaught(session.machine())),
    }
}

/// Says why nothing is saved.
fn not_saved(wisp: &Wisp, why: &str) -> i32 {
    let (file, saved) = (Shown(program(wisp)), wisp.saved());
    message::fail(
        STATUS_EVALUATION,
        format_args!("{file}: not {saved}: {why} (nothing is written)"),
    )
}

/// What is saved, for messages.
fn what<'a>(wisp: &Wisp<'a>) -> &'a [u8] {
    match wisp.expression {
        Some(_) => b"the expression",
        None => wisp.entry.unwrap_or(MAIN),
    }
}

/// The seed of the value on top.
fn encode(machine: &mut Machine, wisp: &Wisp) -> Result<Vec<u8>, i32> {
    if let Err(stop) = machine.force_top() {
        return Err(stop::report(machine, stop));
    }
    let (value, mut doubtful) = (machine.top(0), Vec::new());
    let bytes = graph::encode_with(value, wisp.version, &[], &mut |pin| {
        if pin.item().is_law() && jets::is_doubtful(pin.item()) {
            doubtful.push(pin.item().law_name());
        }
    });
    let bytes = bytes.map_err(|error| bad_seed(program(wisp), &error))?;
    let (file, name) = (Shown(program(wisp)), Shown(what(wisp)));
    warn_of_arity(value, format_args!("{file}: {name}"));
    for name in doubtful {
        let name = name_bytes(name);
        let name = Shown(&name);
        message::fail(
            STATUS_OK,
            format_args!(
                "warning: {file}: the pinned law {name} runs as the operation of that name, \
                 whatever its body says (rename it if that is not meant)"
            ),
        );
    }
    Ok(bytes)
}
