# Process entry.
#
# Intel syntax. The kernel starts us at _start with the stack pointer at argc (src/os/env.rs draws
# what lies above it), the direction flag clear and every other register meaningless. An image comes
# a second time: asm/stub.s maps it again, leaves the stack as the kernel made it, and jumps to
# plan_resume with the address of what the first start left (src/os/image.rs) in rsi.

    .section .text.entry, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    xor ebp, ebp                # outermost frame: back traces end here
    mov r12, rsp                # the initial stack, for plan_start
    and rsp, -16                # the C convention wants the stack aligned at a call
    call plan_cpu_fits          # nothing but plain x86-64 may run before this
    test eax, eax
    jz 21f
    xor esi, esi
    mov rdi, r12
    call plan_start             # plan_start(stack, handover) does not return
    ud2

21: mov eax, 1                  # write(2, refusal, length)
    mov edi, 2
    lea rsi, [rip + plan_refusal]
    mov edx, offset plan_refusal_length
    syscall
    mov eax, 231                # exit_group(70)
    mov edi, 70
    syscall
    ud2
    .size _start, . - _start

    .globl plan_resume
    .type plan_resume, @function
plan_resume:                    # the processor was checked at the first start
    xor ebp, ebp
    mov rdi, rsp
    and rsp, -16
    call plan_start
    ud2
    .size plan_resume, . - plan_resume

    .section .rodata.plan_refusal, "a", @progbits
plan_refusal:
    .ascii "plan: cannot start: this processor lacks x86-64-v3 "
    .ascii "(needs AVX2, BMI1, BMI2, F16C, FMA, LZCNT, MOVBE)\n"
    .set plan_refusal_length, . - plan_refusal
