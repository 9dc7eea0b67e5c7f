    .section .text.entry, "ax", @progbits
    .globl _start
_start:
    xor ebp, ebp
    mov rdi, rsp
    and rsp, -16
    call rust_start
    ud2
