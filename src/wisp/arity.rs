//! Calls with a wrong number of arguments, as far as they can be told from the law (chapter 06 §7.4).
//!
//! Too few arguments are a partial application and too many are passed on to the result; both are
//! ordinary programs. So a warning needs proof: the result that gets the arguments left over is a
//! number, or the value that lacks an argument is dropped.
//!
//! Invariants:
//! - Nothing is evaluated; a law is looked into as far as [`MAX_STEPS`] steps reach.
//! - A call that is nowhere in the text, because a macro made it, gives no warning.

use super::eval::{Evaluator, name_bytes};
use super::form;
use super::read::Span;
use super::text::{join, put, put_number};
use crate::prim::table::CMP;
use crate::value::Value;
use alloc::vec::Vec;

/// Steps in which a law is proved to return a number.
const MAX_STEPS: u32 = 200;
/// Calls with more arguments are not looked at: whoever nests heads deep would be made to wait.
const MAX_ARGUMENTS: usize = 16;
/// Number of the operation Seq.
const SEQ: usize = 5;
/// Numbers of the operations If and Ifz.
const IF: core::ops::RangeInclusive<usize> = 26..=27;
/// Numbers of operations whose result is a natural: predicates, arithmetic, bits, sizes, bytes.
const NUMERIC: [(usize, usize); 11] = [
    (2, 2),
    (13, 19),
    (22, 22),
    (28, 29),
    (33, 48),
    (50, 66),
    (68, 68),
    (94, 101),
    (102, 106),
    (107, 107),
    (CMP, CMP),
];
/// Numbers of those among them for which an operand that is no natural counts as 0.
const ARITHMETIC: core::ops::RangeInclusive<usize> = 35..=48;

/// The operation that a pin runs.
fn operation(callee: Value) -> Option<usize> {
    let code = callee.is_pin().then(|| callee.code_word())?;
    (code & 1 == 1).then_some(code as usize >> 1)
}

fn is_numeric(operation: usize) -> bool {
    let within = |(first, last): &(usize, usize)| (*first..=*last).contains(&operation);
    NUMERIC.iter().any(within)
}

/// The law in a pin or the law itself.
fn law_of(callee: Value) -> Option<Value> {
    let law = if callee.is_pin() {
        callee.item()
    } else {
        callee
    };
    law.is_law().then_some(law)
}

/// The number of arguments that a known function lacks.
fn missing(callee: Value) -> Option<usize> {
    let (head, given) = match callee.is_closure() {
        true => (callee.head(), callee.size()),
        false => (callee, 0),
    };
    law_of(head).or(operation(head).map(|_| head))?;
    usize::try_from(head.call_arity()).ok()?.checked_sub(given)
}

/// The function and the number of arguments of code that is a call, `0[0[f x] y]`.
fn spine(mut code: Value) -> (Value, usize) {
    let mut count = 0;
    while count <= MAX_ARGUMENTS && code.is_closure() && code.is_small_closure(0, 2) {
        code = code.arg(0).resolve();
        count += 1;
    }
    (code, count)
}

/// Whether code is a number whenever it has a value, inside the law with this arity and with references
/// up to `largest`.
fn is_number(code: Value, law: Value, largest: u64, steps: &mut u32) -> bool {
    let mut waiting = Vec::from([(code, law, largest)]);
    while let Some((code, law, largest)) = waiting.pop() {
        *steps += 1;
        if *steps > MAX_STEPS {
            return false;
        }
        if code.is_nat() {
            if code.small().is_some_and(|n| n <= largest) {
                return false;
            }
            continue;
        }
        if code.is_closure() && code.is_small_closure(0, 1) {
            if code.arg(0).resolve().is_nat() {
                continue;
            }
            return false;
        }
        let (function, count) = spine(code);
        let argument = |i: usize| {
            let inner = (1..count - i).fold(code, |code, _| code.arg(0).resolve());
            (inner.arg(1).resolve(), law, largest)
        };
        let itself = function == Value::ZERO && law.call_arity() == count as u64;
        if count == 0 || !itself && missing(function) != Some(count) {
            return false;
        }
        match operation(function) {
            Some(number) if is_numeric(number) => {}
            Some(SEQ) => waiting.push(argument(1)),
            Some(number) if IF.contains(&number) => waiting.extend([argument(1), argument(2)]),
            _ if itself => {}
            Some(_) => return false,
            None => match law_of(function) {
                Some(callee) => waiting.push(body(callee)),
                None => return false,
            },
        }
    }
    true
}

/// The body of a law behind its bindings, the law, and the largest reference.
fn body(law: Value) -> (Value, Value, u64) {
    let mut code = law.law_body();
    let mut largest = law.call_arity();
    while code.is_closure() && code.is_small_closure(1, 2) {
        code = code.arg(1).resolve();
        largest += 1;
    }
    (code, law, largest)
}

/// Whether a function with all its arguments gives a number.
fn gives_number(callee: Value) -> bool {
    let head = if callee.is_closure() {
        callee.head()
    } else {
        callee
    };
    match (operation(head), law_of(head)) {
        (Some(number), _) => is_numeric(number),
        (None, Some(law)) => {
            let (code, law, largest) = body(law);
            is_number(code, law, largest, &mut 0)
        }
        (None, None) => false,
    }
}

/// The name of a function, as far as it has one.
fn name(callee: Value) -> Vec<u8> {
    let head = if callee.is_closure() {
        callee.head()
    } else {
        callee
    };
    match law_of(head) {
        Some(law) => name_bytes(law.law_name()),
        None => Vec::new(),
    }
}

impl Evaluator<'_> {
    /// Looks at a call of `callee` with so many arguments, written as `form`.
    #[inline]
    pub(super) fn check_call(&mut self, callee: Value, count: usize, form: Value) {
        if let Some(takes) = missing(callee)
            && count > takes
            && takes > 0
            && gives_number(callee)
        {
            self.wrong_count(
                callee,
                takes,
                count,
                form,
                b", and its result is no function",
            );
        }
    }

    /// Looks at the code of a whole call, written as `form`.
    #[inline]
    pub(super) fn check_code(&mut self, code: Value, form: Value) {
        let (function, count) = spine(code);
        let Some(number) = operation(function).filter(|_| count == 2) else {
            return;
        };
        let first = code.arg(0).resolve().arg(1).resolve();
        if number == SEQ {
            let (callee, given) = spine(first);
            if let Some(takes) = missing(callee)
                && (1..takes).contains(&given)
            {
                let part = form::slot_of(form, 1);
                self.wrong_count(callee, takes, given, part, b", so nothing is computed here");
            }
        } else if self.rules.warn && ARITHMETIC.contains(&number) {
            for operand in [first, code.arg(1).resolve()] {
                let (callee, given) = spine(operand);
                if missing(callee).is_some_and(|takes| given < takes) {
                    self.operand(function, callee, form);
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong_count(&mut self, callee: Value, takes: usize, given: usize, form: Value, why: &[u8]) {
        if !self.may_warn() {
            return;
        }
        let name = name(callee);
        let Some(span) = self.call_span(&name, given, form) else {
            return;
        };
        let mut text = join(&[&name, b" takes "]);
        put_number(&mut text, takes as u64);
        let noun: &[u8] = if takes == 1 {
            b" argument but gets "
        } else {
            b" arguments but gets "
        };
        put(&mut text, &[noun]);
        put_number(&mut text, given as u64);
        put(&mut text, &[why]);
        self.warn(span, text);
    }

    #[cold]
    #[inline(never)]
    fn operand(&mut self, function: Value, callee: Value, form: Value) {
        let (outer, inner) = (name(function), name(callee));
        if !self.may_warn() {
            return;
        }
        if let Some(span) = self.call_span(&outer, 2, form) {
            let end: &[u8] = b" that lacks arguments, which counts as 0";
            self.warn(span, join(&[&outer, b" gets the function ", &inner, end]));
        }
    }

    /// Where a call is written: the form itself, or one in the text that looks like it.
    fn call_span(&self, name: &[u8], count: usize, form: Value) -> Option<Span> {
        let written = self.span_of(form, None);
        written.or_else(|| {
            let (text, events) = self.text()?;
            form::find_call(text, events, name, count)
        })
    }
}
