//! Wisp, the language programs are written in (chapter 06).
//!
//! | file | holds |
//! |---|---|
//! | `read` | bytes to forms with positions |
//! | `source` | files and what they require as one text |
//! | `form` | forms as values, and back to their place |
//! | `collect` | the modules of the library as values, for the build |
//! | `env` | the environment: a tree of rows |
//! | `eval` | expansion and evaluation |
//! | `law` | the macro `law` |
//! | `note` | what is known about a mistake: place, trail, warnings |
//! | `spec` | the special forms of the newer dialect |
//! | `library` | the modules that are built in |
//! | `session` | the loop over a text |
//! | `start` | the initial environment |
//! | `handover` | a loop of the program's own |
//! | `arity` | calls with a wrong number of arguments |
//! | `diagnose` | what a message says: exceptions in words, unbound names |
//! | `suggest` | names that may have been meant |
//! | `report` | messages with place, marker and trail |
//! | `text` | putting messages together |
//! | `builtin.wisp` | the built-in functions as code of the machine |
//!
//! Invariants:
//! - The environment is a plain value that macros get, look into and replace; nothing is cached
//!   beside it.
//! - Nothing recurses on the native stack, whatever is read or evaluated.

mod arity;
mod collect;
pub mod diagnose;
mod env;
mod eval;
pub mod form;
mod handover;
mod law;
pub mod library;
mod note;
pub mod read;
pub mod report;
pub mod session;
pub mod source;
mod spec;
pub mod start;
mod suggest;
pub mod text;

pub use collect::Problem;
pub use diagnose::Diagnosis;
pub use eval::{Failure, Rules, name_bytes};
pub use library::{Library, LoadError};
pub use note::Note;
pub use session::{Ended, Input, Observer, Session, Silent};
pub use source::{SourceError, Sources};
pub use suggest::{Search, names};
