# The processor check: is this x86-64-v3, and does the kernel save its registers?
#
# Intel syntax. Uses plain x86-64 instructions only; xgetbv runs only where cpuid announces it.
# Bits: Intel SDM volume 2A, CPUID; the level: System V psABI for x86-64, table 3.1.

    .section .text.plan_cpu, "ax", @progbits

# u32 plan_cpu_judge(u32 leaf1_ecx, u32 leaf7_ebx, u32 extended_ecx, u32 xcr0)
# 1 if every feature of x86-64-v3 is in the registers, else 0.
    .globl plan_cpu_judge
    .type plan_cpu_judge, @function
plan_cpu_judge:
    # SSE3 0, SSSE3 9, FMA 12, CMPXCHG16B 13, SSE4.1 19, SSE4.2 20, MOVBE 22, POPCNT 23,
    # OSXSAVE 27, AVX 28, F16C 29
    not edi
    test edi, (1 << 0) | (1 << 9) | (1 << 12) | (1 << 13) | (1 << 19) | (1 << 20) | (1 << 22) | (1 << 23) | (1 << 27) | (1 << 28) | (1 << 29)
    jnz 21f
    # BMI1 3, AVX2 5, BMI2 8
    not esi
    test esi, (1 << 3) | (1 << 5) | (1 << 8)
    jnz 21f
    # LAHF/SAHF 0, LZCNT 5
    not edx
    test edx, (1 << 0) | (1 << 5)
    jnz 21f
    # SSE state 1, AVX state 2
    not ecx
    test ecx, (1 << 1) | (1 << 2)
    jnz 21f
    mov eax, 1
    ret
21: xor eax, eax
    ret
    .size plan_cpu_judge, . - plan_cpu_judge

# u32 plan_cpu_fits(void)
# 1 if this processor and kernel run x86-64-v3 code, else 0.
    .globl plan_cpu_fits
    .type plan_cpu_fits, @function
plan_cpu_fits:
    push rbx                    # cpuid overwrites it; the callee keeps it
    mov eax, 1
    cpuid
    mov edi, ecx
    xor r9d, r9d                # xcr0
    bt edi, 27                  # OSXSAVE: xgetbv exists
    jnc 21f
    xor ecx, ecx
    xgetbv
    mov r9d, eax
    # Under a hypervisor cpuid costs microseconds, so the highest leaves are not asked for: a processor
    # too old for leaf 7, which then answers with another leaf, lacks FMA or MOVBE; and 0x80000001 is
    # where 64-bit mode itself is announced.
21: mov eax, 7
    xor ecx, ecx
    cpuid
    mov esi, ebx
    mov eax, 0x80000001
    cpuid
    mov edx, ecx
    mov ecx, r9d
    pop rbx
    jmp plan_cpu_judge
    .size plan_cpu_fits, . - plan_cpu_fits
