//! What the kernel put on the initial stack: arguments, environment, auxiliary vector.
//!
//! ```text
//! sp → argc │ argv[0] … argv[argc-1] │ 0 │ envp[0] … │ 0 │ (type, value) … (0, 0) │ strings
//! ```
//!
//! Invariants:
//! - an [`Args`] only reads, is passed down from `main`, and is never stored globally;
//! - the strings it hands out are raw bytes without their terminator, not necessarily UTF-8.
//!
//! Safety: [`Args::from_stack`] demands the layout above, which the kernel never moves or unmaps;
//! everything else reads within it.
#![allow(unsafe_code)]

use core::ffi::c_char;

/// Auxiliary entry: address of the program headers in memory.
pub const AT_PHDR: u64 = 3;
/// Auxiliary entry: how many program headers there are.
pub const AT_PHNUM: u64 = 5;
/// Auxiliary entry: bytes in a page.
pub const AT_PAGESZ: u64 = 6;
/// Auxiliary entry: address of 16 random bytes.
pub const AT_RANDOM: u64 = 25;
/// Auxiliary entry: address of the path the process was started with.
pub const AT_EXECFN: u64 = 31;
/// Auxiliary entry: address of the kernel's own shared object (vDSO).
pub const AT_SYSINFO_EHDR: u64 = 33;

/// The words of the initial stack.
#[derive(Clone, Copy, Debug)]
pub struct Args {
    count: usize,
    argv: *const *const c_char,
    envp: *const *const c_char,
    auxv: *const [u64; 2],
    /// Whether the name of an entry of the environment begins with `PLAN`: mostly none does, and a
    /// start asks for a dozen such names.
    ours: bool,
}

/// The bytes of a terminated string.
///
/// # Safety
/// `start` must point to a string that ends in a zero byte and lives for the rest of the process.
pub(super) unsafe fn bytes(start: *const c_char) -> &'static [u8] {
    let mut len = 0;
    // SAFETY: the string is readable up to its terminator.
    unsafe {
        while start.add(len).read_volatile() != 0 {
            // Volatile, so that the loop is not turned into a call of the C library's `strlen`.
            len += 1;
        }
        core::slice::from_raw_parts(start.cast(), len)
    }
}

/// Whether a terminated string begins with `PLAN`. Sign by sign, because the first start of an
/// image is to touch no page of constants.
///
/// # Safety
/// `entry` must point to a string that ends in a zero byte.
unsafe fn is_ours(entry: *const c_char) -> bool {
    let is = |i, sign: u8| {
        // SAFETY: no sign before this one is 0.
        unsafe { entry.add(i).read() == sign as c_char }
    };
    is(0, b'P') && is(1, b'L') && is(2, b'A') && is(3, b'N')
}

impl Args {
    /// Reads the initial stack; the program name counts as argument 0.
    ///
    /// # Safety
    /// `stack` must be the stack pointer the kernel started the process with, or memory of the same
    /// layout that lives for the rest of the process.
    pub unsafe fn from_stack(stack: *const usize) -> Args {
        // SAFETY: the layout in the head of this file.
        unsafe {
            let count = stack.read();
            let argv: *const *const c_char = stack.add(1).cast();
            let envp = argv.add(count + 1);
            let mut end = envp;
            let mut ours = false;
            while !end.read().is_null() {
                ours = ours || is_ours(end.read());
                end = end.add(1);
            }
            Args {
                count,
                argv,
                envp,
                auxv: end.add(1).cast(),
                ours,
            }
        }
    }

    /// Number of arguments, the program name included; 0 only if the parent passed none.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether not even a program name was passed.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Argument `i`; 0 is the program name.
    pub fn get(&self, i: usize) -> Option<&'static [u8]> {
        // SAFETY: entries below `count` are terminated strings.
        (i < self.count).then(|| unsafe { bytes(self.argv.add(i).read()) })
    }

    /// All arguments from number `first` on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &'static [u8]> + use<> {
        let this = *self;
        (first..this.count).filter_map(move |i| this.get(i))
    }

    /// The value of the environment variable `name`: the first entry `name=value`.
    #[inline(always)]
    pub fn var(&self, name: &[u8]) -> Option<&'static [u8]> {
        if !self.ours && matches!(name, [b'P', b'L', b'A', b'N', ..]) {
            return None;
        }
        self.search(name)
    }

    #[inline(never)]
    fn search(&self, name: &[u8]) -> Option<&'static [u8]> {
        // Most entries differ at once; to measure them all would take longer than all else here.
        (0..)
            .map_while(|i| {
                // SAFETY: the entries end with a null pointer, after which this stops.
                let entry = unsafe { self.envp.add(i).read() };
                (!entry.is_null()).then_some(entry)
            })
            .find_map(|entry| {
                let mut signs = name.iter().chain(b"=").enumerate();
                // SAFETY: no sign of a name is 0, so this stops at the end of the entry.
                let is = signs.all(|(i, sign)| unsafe { entry.add(i).read() } == *sign as _);
                // SAFETY: what is behind the sign `=` is terminated.
                is.then(|| unsafe { bytes(entry.add(name.len() + 1)) })
            })
    }

    /// The entries of the environment, each `NAME=value`.
    pub fn vars(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        let envp = self.envp;
        (0..).map_while(move |i| {
            // SAFETY: the entries end with a null pointer, after which this stops.
            unsafe {
                let entry = envp.add(i).read();
                (!entry.is_null()).then(|| bytes(entry))
            }
        })
    }

    /// The path the process was started with.
    pub fn executable(&self) -> Option<&'static [u8]> {
        let path = self.aux(AT_EXECFN).filter(|at| *at != 0)?;
        // SAFETY: the kernel put a terminated string there.
        Some(unsafe { bytes(core::ptr::with_exposed_provenance(path as usize)) })
    }

    /// The addresses of the vectors of arguments and environment, as `execve` takes them.
    pub(super) fn vectors(&self) -> (usize, usize) {
        (self.argv.expose_provenance(), self.envp.expose_provenance())
    }

    /// The auxiliary entry of this type (`AT_…`).
    pub fn aux(&self, kind: u64) -> Option<u64> {
        for i in 0.. {
            // SAFETY: the vector ends with an entry of type 0, at which this stops.
            let [found, value] = unsafe { self.auxv.add(i).read() };
            if found == kind && kind != 0 {
                return Some(value);
            }
            if found == 0 {
                break;
            }
        }
        None
    }
}

/// What the tests of other rooms need, too.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    use super::Args;
    use alloc::boxed::Box;
    use alloc::vec;

    /// Arguments as the kernel would lay them out; lives for the rest of the test process.
    pub fn stack_of(args: &[&str], vars: &[&str], aux: &[[u64; 2]]) -> Args {
        let leak = |text: &&str| {
            let mut text = text.as_bytes().to_vec();
            text.push(0);
            Box::leak(text.into_boxed_slice())
                .as_ptr()
                .expose_provenance()
        };
        let mut words = vec![args.len()];
        words.extend(args.iter().map(leak));
        words.push(0);
        words.extend(vars.iter().map(leak));
        words.push(0);
        words.extend(aux.iter().flatten().map(|word| *word as usize));
        words.extend([0, 0]);
        // SAFETY: the words have the kernel's layout and are never freed.
        unsafe { Args::from_stack(Box::leak(words.into_boxed_slice()).as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::stack_of;
    use super::*;

    #[test]
    fn arguments_environment_and_vector_are_found() {
        let args = stack_of(
            &["plan", "", "x y"],
            &["HOME=/", "PLAN_VERIFY=1", "PLAN_VERIFY=2", "EMPTY="],
            &[[AT_PAGESZ, 4096], [AT_RANDOM, 77]],
        );
        assert_eq!(args.len(), 3);
        assert!(!args.is_empty());
        assert_eq!(args.get(0), Some(&b"plan"[..]));
        assert_eq!(args.get(1), Some(&b""[..]));
        assert_eq!(args.get(3), None);
        assert_eq!(args.from(1).collect::<Vec<_>>(), [&b""[..], b"x y"]);
        assert_eq!(args.var(b"PLAN_VERIFY"), Some(&b"1"[..]));
        assert_eq!(args.var(b"EMPTY"), Some(&b""[..]));
        assert_eq!(args.var(b"PLAN"), None);
        assert_eq!(args.vars().count(), 4);
        assert_eq!(args.aux(AT_PAGESZ), Some(4096));
        assert_eq!(args.aux(AT_RANDOM), Some(77));
        assert_eq!(args.aux(AT_EXECFN), None);
        assert_eq!(args.aux(0), None);
    }

    #[test]
    fn an_empty_stack_is_read_to_its_end() {
        let args = stack_of(&[], &[], &[]);
        assert!(args.is_empty());
        assert_eq!(args.get(0), None);
        assert_eq!(args.from(1).count(), 0);
        assert_eq!(args.var(b"HOME"), None);
        assert_eq!(args.aux(AT_PAGESZ), None);
    }
}
