//! Processes for which the system refuses a call, or ends them at it.
//!
//! Invariants:
//! - only the new process has the filter; everything that it executes has it, too.
//!
//! Safety: between fork and exec two system calls are made, on memory that the closure owns.
#![allow(unsafe_code)]

use plan::os::sys;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What happens at the call.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It fails with this number; 0: it does nothing and says that all is well.
    Fails(u32),
    /// The process is killed.
    Kills,
}

/// `struct sock_filter` of the kernel.
#[repr(C)]
#[derive(Clone, Copy)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    operand: u32,
}

/// Lets each of these calls (numbers of Linux on x86-64) of the process have this answer.
pub fn filter(command: &mut Command, calls: &[u32], answer: Answer) {
    let (load, equal, give) = (0x20, 0x15, 0x06);
    let instruction = |code, if_false, operand| Instruction {
        code,
        if_true: 0,
        if_false,
        operand,
    };
    let answer = match answer {
        Answer::Fails(errno) => 0x5_0000 | errno,
        Answer::Kills => 0x8000_0000,
    };
    let mut program = vec![instruction(load, 0, 0)];
    for call in calls {
        program.extend([instruction(equal, 1, *call), instruction(give, 0, answer)]);
    }
    program.push(instruction(give, 0, 0x7fff_0000));
    let install = move || {
        let header = [program.len() as u64, program.as_ptr().addr() as u64];
        let (prctl, no_new_privileges, seccomp) = (157, 38, 22);
        let header = header.as_ptr().addr() as u64;
        for args in [[no_new_privileges, 1, 0], [seccomp, 2, header]] {
            let [a, b, c] = args;
            // SAFETY: the kernel reads the header and the program, which live until it returns.
            if unsafe { sys::raw(prctl, [a, b, c, 0, 0, 0]) } != 0 {
                return Err(io::Error::other("no filter"));
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes two system calls and allocates nothing.
    unsafe { command.pre_exec(install) };
}
