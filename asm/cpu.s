# The processor check: does this run code for x86-64-v3?
#
# Intel syntax. Plain x86-64 but for the instructions that are tried, one of each extension that the
# compiler may use. They are executed, not asked for: under a hypervisor each cpuid takes up to 6
# microseconds, and three of them were an eighth of the start of an image. What lacks an extension,
# or runs under a kernel that does not save its registers, refuses the instruction, which is
# SIGILL. Not tried is what each processor with AVX2 has: CMPXCHG16B, POPCNT, SSE3 to SSE4.2, LAHF.
# The level: System V psABI for x86-64, table 3.1.

    .section .text.entry.cpu, "ax", @progbits

# u32 plan_cpu_fits(void)
# 1 if this processor and kernel run x86-64-v3 code, else 0.
    .globl plan_cpu_fits
    .type plan_cpu_fits, @function
plan_cpu_fits:
    lea rdi, [rip + plan_cpu_probe]
    .size plan_cpu_fits, . - plan_cpu_fits

# u32 plan_cpu_try(void *code)
# What this code, which takes nothing from the stack, leaves in eax, or 0 if that is SIGILL; the
# handler of the signal is the same as before.
    .globl plan_cpu_try
    .type plan_cpu_try, @function
plan_cpu_try:
    push rbx
    sub rsp, 64                 # handler, flags, restorer, mask: ours and the one before
    mov rbx, rdi
    lea rax, [rip + plan_cpu_refused]
    mov [rsp], rax
    mov qword ptr [rsp + 8], 0x44000004     # SA_SIGINFO, SA_RESTORER, SA_NODEFER
    lea rax, [rip + plan_signal_return]
    mov [rsp + 16], rax
    mov qword ptr [rsp + 24], 0
    mov rsi, rsp
    lea rdx, [rsp + 32]
    call 22f
    call rbx
    mov ebx, eax
    lea rsi, [rsp + 32]
    xor edx, edx
    call 22f
    mov eax, ebx
    add rsp, 64
    pop rbx
    ret

22: mov edi, 4                  # rt_sigaction(SIGILL, rsi, rdx, 8)
    mov r10d, 8
    mov eax, 13
    syscall
    ret
    .size plan_cpu_try, . - plan_cpu_try

# The handler: the code goes on at its end. rdx: ucontext, with rip at 168.
plan_cpu_refused:
    lea rax, [rip + plan_cpu_lacks]
    mov [rdx + 168], rax
    ret

# 1 if all of these run.
    .globl plan_cpu_probe
plan_cpu_probe:
    mov eax, 1
    vpaddd ymm0, ymm0, ymm0     # AVX2
    vfmadd132ps xmm0, xmm0, xmm0    # FMA
    vcvtph2ps xmm0, xmm0        # F16C
    vzeroupper
    andn ecx, eax, eax          # BMI1
    bzhi ecx, eax, eax          # BMI2
    movbe ecx, [rsp]            # MOVBE
    lzcnt ecx, eax              # LZCNT; what does not know it runs bsr, with another result
    cmp ecx, 31
    jne plan_cpu_lacks
    ret
plan_cpu_lacks:
    xor eax, eax
    ret
    .globl plan_cpu_probe_end
plan_cpu_probe_end:
