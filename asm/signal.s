# Return from a signal handler.
#
# Intel syntax. The kernel enters a handler with this address as its return address; the stack
# pointer is then that of the frame the kernel made, which rt_sigreturn expects and takes down.

    .section .text.plan_signal_return, "ax", @progbits
    .globl plan_signal_return
    .type plan_signal_return, @function
plan_signal_return:
    mov eax, 15                 # rt_sigreturn()
    syscall
    ud2
    .size plan_signal_return, . - plan_signal_return
