//! The 64-bit word that is a PLAN value: tags, object headers and typed views of heap objects.
//!
//! Encoding: chapter 01 §2. Bits 63..48 of a word are its tag, bits 47..0 an address.
//!
//! Invariants:
//! - A word with bit 63 clear is a *direct* natural below 2^63 and never a reference.
//! - A word with bit 63 set refers to the first payload word of a live object; the object's header is
//!   the word before it.
//! - The tag of a reference is a pure function of the object (kind, head and size nibble).
//! - High bytes order the kinds: natural < pin < law < closure < thunk.
//!
//! Safety: views read and write memory through the address in a reference. Only the rooms `heap`
//! and above make references, and each keeps the rule *reserve, then read, then build*: no
//! reference into the moving heap survives a reserve outside the value stack. Under that rule
//! every address met here is that of a live, initialised object.
#![allow(unsafe_code)]

mod object;
pub mod print;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Release};
pub use object::{Header, Kind, ThunkKind, closure_tag};
pub use object::{LAW_WORDS, PIN_FIXED_WORDS, WORD};

/// Tag of a natural in the moving heap or inside a pin.
pub const TAG_NAT: u64 = 0x8200;
/// Tag of a fixed buffer (`Xbuf`): a natural at a stable address whose bytes may change.
pub const TAG_BUFFER: u64 = 0x8201;
/// Tag of a long natural outside the moving heap and all pins. Its bytes do not change.
pub const TAG_FIXED: u64 = 0x8202;
/// Tag of a pin of anything but a pin; with [`STORED`] if it lies in the persistence region.
pub const TAG_PIN: u64 = 0xC400;
/// Tag of a pin of a pin; likewise.
pub const TAG_MEGAPIN: u64 = 0xC401;
/// Bit of the tag of a pin that lies in the persistence region.
pub const STORED: u64 = 2;
/// Tag of a law.
pub const TAG_LAW: u64 = 0xC800;
/// Tag of a closure with head nibble 0 and size nibble 0; see [`closure_tag`].
pub const TAG_CLOSURE: u64 = 0xD000;
/// Tag of a thunk.
pub const TAG_THUNK: u64 = 0xE000;

/// Largest direct natural, 2^63 − 1.
pub const MAX_DIRECT: u64 = (1 << 63) - 1;

const ADDRESS_MASK: u64 = (1 << 48) - 1;

/// One PLAN value as a tagged word.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Value(u64);

/// The four kinds of evaluated values, plus the unevaluated one. `Type` numbers them 0 to 3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// A natural number.
    Nat,
    /// A pin.
    Pin,
    /// A law.
    Law,
    /// A closure: an application in weak head normal form.
    Closure,
    /// An unevaluated application.
    Thunk,
}

impl core::fmt::Debug for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}:{:#x}", self.sort(), self.0)
    }
}

impl Value {
    /// The natural 0.
    pub const ZERO: Value = Value(0);
    /// The natural 1.
    pub const ONE: Value = Value(1);

    /// The direct natural `n`, which must be at most [`MAX_DIRECT`].
    #[inline(always)]
    pub const fn direct(n: u64) -> Value {
        debug_assert!(n <= MAX_DIRECT);
        Value(n)
    }

    /// 1 for true, 0 for false.
    #[inline(always)]
    pub const fn bit(b: bool) -> Value {
        Value(b as u64)
    }

    /// The reference with `tag` to the object whose first payload word is at `payload`.
    #[inline(always)]
    pub fn reference(tag: u64, payload: *const u64) -> Value {
        debug_assert!(tag >> 15 == 1 && (payload as u64) & !ADDRESS_MASK == 0);
        Value(tag << 48 | payload as u64)
    }

    /// The word of an earlier [`Value::bits`].
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Value {
        Value(bits)
    }

    /// The raw word.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The tag, bits 63..48. Meaningful for references only.
    #[inline(always)]
    pub const fn tag(self) -> u64 {
        self.0 >> 48
    }

    /// Whether this is a natural held in the word itself.
    #[inline(always)]
    pub const fn is_direct(self) -> bool {
        (self.0 as i64) >= 0
    }

    /// Whether this is an unevaluated application.
    #[inline(always)]
    pub const fn is_thunk(self) -> bool {
        self.0 >= TAG_THUNK << 48
    }

    /// Whether this is a natural of any size.
    #[inline(always)]
    pub const fn is_nat(self) -> bool {
        self.0 >> 56 < 0xC4
    }

    /// Whether this is a natural outside the word.
    #[inline(always)]
    pub const fn is_heap_nat(self) -> bool {
        self.0 >> 56 == 0x82
    }

    /// Whether this is a fixed buffer.
    #[inline(always)]
    pub const fn is_buffer(self) -> bool {
        self.tag() == TAG_BUFFER
    }

    /// Whether this is a long natural outside the moving heap and all pins.
    #[inline(always)]
    pub const fn is_fixed(self) -> bool {
        self.tag() == TAG_FIXED
    }

    /// Whether this is a fixed buffer or a long natural outside the moving heap and all pins.
    #[inline(always)]
    pub const fn is_fixed_or_buffer(self) -> bool {
        self.tag().wrapping_sub(TAG_BUFFER) <= TAG_FIXED - TAG_BUFFER
    }

    /// Whether this is a pin.
    #[inline(always)]
    pub const fn is_pin(self) -> bool {
        self.0 >> 56 == 0xC4
    }

    /// Whether this is a law.
    #[inline(always)]
    pub const fn is_law(self) -> bool {
        self.0 >> 56 == 0xC8
    }

    /// Whether this is a closure.
    #[inline(always)]
    pub const fn is_closure(self) -> bool {
        self.0 >> 56 == 0xD0
    }

    /// The kind of this value.
    #[inline]
    pub const fn sort(self) -> Sort {
        match self.0 >> 56 {
            0..=0xC3 => Sort::Nat,
            0xC4..=0xC7 => Sort::Pin,
            0xC8..=0xCF => Sort::Law,
            0xD0..=0xDF => Sort::Closure,
            _ => Sort::Thunk,
        }
    }

    /// Address of the first payload word. Only for references.
    #[inline(always)]
    pub const fn address(self) -> *mut u64 {
        debug_assert!(!self.is_direct());
        (self.0 & ADDRESS_MASK) as *mut u64
    }

    /// The object's header. Only for references.
    #[inline(always)]
    pub fn header(self) -> Header {
        // SAFETY: a reference names a live object, whose header is the word before its payload.
        Header::from_bits(unsafe { *self.address().sub(1) })
    }

    /// Replaces the object's header. Only for references to objects the caller may change.
    #[inline(always)]
    pub fn set_header(self, header: Header) {
        // SAFETY: as in `header`; the caller owns the object.
        unsafe { *self.address().sub(1) = header.bits() }
    }

    /// Payload word `i` of the object, raw.
    #[inline(always)]
    pub fn raw(self, i: usize) -> u64 {
        // SAFETY: callers index inside the payload of a live object.
        unsafe { *self.address().add(i) }
    }

    /// Replaces payload word `i` of the object.
    #[inline(always)]
    pub fn set_raw(self, i: usize, word: u64) {
        // SAFETY: as in `raw`; the caller may change the object.
        unsafe { *self.address().add(i) = word }
    }

    /// Payload word `i` of the object as a value.
    #[inline(always)]
    pub fn field(self, i: usize) -> Value {
        Value(self.raw(i))
    }

    /// Stores a value into payload word `i` of the object.
    #[inline(always)]
    pub fn set_field(self, i: usize, v: Value) {
        self.set_raw(i, v.0)
    }

    // Naturals.

    /// The significant limbs of a natural, least significant first. A direct natural is put into
    /// `space`; 0 has no limbs. A fixed buffer is read as it is now.
    #[inline]
    pub fn limbs(self, space: &mut [u64; 1]) -> &[u64] {
        debug_assert!(self.is_nat());
        if self.is_direct() {
            space[0] = self.0;
            return &space[..(self.0 != 0) as usize];
        }
        // SAFETY: the header of a live natural gives its payload size; nothing collects while the
        // slice is in use (rule: reserve, then read).
        let all = unsafe { core::slice::from_raw_parts(self.address(), self.header().words()) };
        if self.is_buffer() {
            &all[..crate::nat::len(all)]
        } else {
            all
        }
    }

    /// The same of a natural that is not direct, for as long as the caller can vouch for it.
    ///
    /// # Safety
    /// The natural must stay where and as it is for `'a`: nothing is collected or written.
    pub unsafe fn lent_limbs<'a>(self) -> &'a [u64] {
        debug_assert!(self.is_nat() && !self.is_direct());
        // SAFETY: the header of a live natural gives its payload size; the rest is the caller's.
        unsafe { core::slice::from_raw_parts(self.address(), self.header().words()) }
    }

    /// The natural if this is one, 0 for every other kind: the cast of chapter 02 §4.1.
    #[inline(always)]
    pub const fn cast(self) -> Value {
        if self.is_nat() { self } else { Value::ZERO }
    }

    /// The natural as a machine word if it is below 2^64; `None` for larger ones.
    #[inline]
    pub fn small(self) -> Option<u64> {
        if self.is_direct() {
            return Some(self.0);
        }
        let mut space = [0];
        match self.limbs(&mut space) {
            [] => Some(0),
            [n] => Some(*n),
            _ => None,
        }
    }

    /// The natural as a machine word, 2^64 − 1 for everything larger.
    #[inline]
    pub fn saturated(self) -> u64 {
        self.small().unwrap_or(u64::MAX)
    }

    /// Number of bits of the natural, 0 for 0.
    pub fn bit_len(self) -> u64 {
        let mut space = [0];
        crate::nat::bit_len(self.limbs(&mut space))
    }

    // Closures.

    /// The head of a closure.
    #[inline(always)]
    pub fn head(self) -> Value {
        debug_assert!(self.is_closure());
        self.field(0)
    }

    /// The number of arguments of a closure.
    #[inline(always)]
    pub fn size(self) -> usize {
        debug_assert!(self.is_closure());
        let nibble = self.tag() & 15;
        if nibble != 0 {
            nibble as usize
        } else {
            self.header().words() - 1
        }
    }

    /// Argument `i`, from 0, of a closure.
    #[inline(always)]
    pub fn arg(self, i: usize) -> Value {
        self.field(1 + i)
    }

    /// Number of arguments of a closure, 0 for every other kind.
    #[inline(always)]
    pub fn row_len(self) -> usize {
        if self.is_closure() { self.size() } else { 0 }
    }

    /// Whether the closure `0[a b]`-style tag equals the given head nibble and size.
    #[inline(always)]
    pub fn is_small_closure(self, head: u64, size: u64) -> bool {
        self.tag() == TAG_CLOSURE | head << 4 | size
    }

    // Laws.

    /// Name of a law.
    #[inline(always)]
    pub fn law_name(self) -> Value {
        self.field(0)
    }

    /// Arity of a law as the program gave it.
    #[inline(always)]
    pub fn law_arity(self) -> Value {
        self.field(1)
    }

    /// Body of a law.
    #[inline(always)]
    pub fn law_body(self) -> Value {
        self.field(2)
    }

    // Pins.

    /// The item of a pin.
    #[inline(always)]
    pub fn item(self) -> Value {
        debug_assert!(self.is_pin());
        self.field(0)
    }

    /// Whether this pin lies in the persistence region.
    #[inline(always)]
    pub const fn is_stored(self) -> bool {
        debug_assert!(self.is_pin());
        self.tag() & STORED != 0
    }

    /// This pin, or its copy in the persistence region if it has one there: the redirection word
    /// before the header of a pin in memory is the address of the copy, or 0 (chapter 05 §4.4).
    #[inline]
    pub fn latest(self) -> Value {
        if self.is_stored() {
            return self;
        }
        // SAFETY: a block of the arena has this word before its header; it is written once.
        let copy = unsafe { AtomicU64::from_ptr(self.address().sub(2)).load(Acquire) };
        if copy == 0 {
            return self;
        }
        Value((self.tag() | STORED) << 48 | copy)
    }

    /// Sets the redirection word of a pin in memory, whose copy is durable at `address`.
    pub fn redirect(self, address: u64) {
        debug_assert!(!self.is_stored());
        // SAFETY: as in `latest`.
        unsafe { AtomicU64::from_ptr(self.address().sub(2)).store(address, Release) }
    }

    // Laws and pins.

    /// The code word of a law or pin: see `prim::Code` for its three forms.
    #[inline(always)]
    pub fn code_word(self) -> u64 {
        self.code_cell().load(Acquire)
    }

    /// Caches compiled code in a law or pin. This is the one mutable word of a finished pin, which
    /// other threads may call at the same time.
    ///
    /// # Errors
    /// The code word that is there already; then nothing has changed.
    #[inline(always)]
    pub fn publish_code_word(self, word: u64) -> Result<(), u64> {
        debug_assert!(word >> 63 == 0);
        let cell = self.code_cell();
        cell.compare_exchange(0, word, AcqRel, Acquire).map(drop)
    }

    #[inline(always)]
    fn code_cell<'a>(self) -> &'a AtomicU64 {
        debug_assert!(self.is_law() || self.is_pin());
        // SAFETY: laws and pins have this word, aligned; the cell is used before anything can move.
        unsafe { AtomicU64::from_ptr(self.address().add(object::CODE)) }
    }

    /// Number of arguments a call of this law or pin takes; [`MAX_DIRECT`] when it can never be
    /// saturated.
    #[inline(always)]
    pub fn call_arity(self) -> u64 {
        self.raw(object::CALL_ARITY)
    }

    // Thunks.

    /// The kind word of a thunk: see [`ThunkKind`].
    #[inline(always)]
    pub fn thunk_kind(self) -> u64 {
        debug_assert!(self.is_thunk());
        self.raw(0)
    }

    /// Records the result of a thunk, in weak head normal form.
    #[inline(always)]
    pub fn update(self, result: Value) {
        debug_assert!(!result.is_thunk());
        self.set_raw(0, ThunkKind::DONE);
        self.set_field(1, result);
    }

    /// The value itself, or the result of a finished thunk.
    #[inline(always)]
    pub fn resolve(self) -> Value {
        if self.is_thunk() && self.thunk_kind() == ThunkKind::DONE {
            self.field(1)
        } else {
            self
        }
    }
}
