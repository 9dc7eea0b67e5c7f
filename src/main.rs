//! The freestanding binary: entry, panic handler, allocator; nothing else.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

core::arch::global_asm!(include_str!("../asm/start.s"));

#[unsafe(no_mangle)]
extern "C" fn rust_start(_sp: *const usize) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
