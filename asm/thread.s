# Start of a thread: the one call that returns twice.
#
# Intel syntax. plan_thread_clone(number, first, second, entry, argument, tid) makes the system call
# `number`, clone3(first, second) or clone(first, second, tid, tid), and returns its result to the
# parent. The child starts on a stack of its own, with nothing on it: it calls entry(argument) and
# ends. It never returns into the frame of the parent, which goes on at the same time.

    .section .text.plan_thread_clone, "ax", @progbits
    .globl plan_thread_clone
    .type plan_thread_clone, @function
plan_thread_clone:
    mov eax, edi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, r9                 # clone: where the kernel stores the number for the parent
    mov r10, r9                 # clone: what the kernel clears at the end of the child
    mov r9, rcx                 # rcx does not survive the call; r8 and r9 do
    syscall
    test rax, rax
    jz 31f
    ret

31: xor ebp, ebp                # outermost frame: back traces end here
    mov rdi, r8
    call r9                     # the stack is aligned to 16 here, as the C convention wants
    xor edi, edi
    mov eax, 60                 # exit(0) ends this thread alone; the kernel then clears *tid
    syscall
    ud2
    .size plan_thread_clone, . - plan_thread_clone
