# Memory routines: copy, fill, compare.
#
# Compiled Rust calls memcpy, memmove, memset, memcmp and bcmp by name and there is no C library to
# provide them. The routines carry names of our own so that they can be tested on the host beside
# the C library's; asm/memory_names.s gives them the standard names in the executable.
#
# Method: sizes up to 128 bytes are two overlapping runs of loads, all done before the first store,
# so overlap and direction do not matter; larger ones are a loop of four 32-byte moves with the
# other end loaded beforehand; from REP_MIN bytes on without overlap, the string instructions win
# (Intel Optimization Manual, "Enhanced REP MOVSB and STOSB").
#
# Invariants:
# - System V convention; only caller-saved registers change; the direction flag stays clear;
# - no byte outside the given ranges is read or written;
# - ymm registers are left clean (vzeroupper) where they were used.
# Intel syntax; x86-64-v3. No label of the digits 0 and 1 alone: `1b` would be a binary number.

    .set REP_MIN, 2048          # bytes from which rep movsb / stosb is faster than the loop

# void *plan_memmove(void *to, const void *from, size_t n); also used as memcpy
    .section .text.plan_memmove, "ax", @progbits
    .globl plan_memmove
    .type plan_memmove, @function
    .p2align 5
plan_memmove:
    mov rax, rdi                # the result is `to`
    cmp rdx, 16
    jae 16f
    cmp edx, 8
    jae 8f
    cmp edx, 4
    jae 4f
    test edx, edx
    jz 21f
    movzx ecx, byte ptr [rsi]                   # 1..3 bytes: first, middle, last
    mov r8, rdx
    shr r8
    movzx r9d, byte ptr [rsi + r8]
    movzx r10d, byte ptr [rsi + rdx - 1]
    mov byte ptr [rdi], cl
    mov byte ptr [rdi + r8], r9b
    mov byte ptr [rdi + rdx - 1], r10b
21: ret
4:  mov ecx, dword ptr [rsi]                    # 4..7
    mov r8d, dword ptr [rsi + rdx - 4]
    mov dword ptr [rdi], ecx
    mov dword ptr [rdi + rdx - 4], r8d
    ret
8:  mov rcx, qword ptr [rsi]                    # 8..15
    mov r8, qword ptr [rsi + rdx - 8]
    mov qword ptr [rdi], rcx
    mov qword ptr [rdi + rdx - 8], r8
    ret
16: cmp rdx, 32
    ja 32f
    vmovdqu xmm0, xmmword ptr [rsi]             # 16..32
    vmovdqu xmm1, xmmword ptr [rsi + rdx - 16]
    vmovdqu xmmword ptr [rdi], xmm0
    vmovdqu xmmword ptr [rdi + rdx - 16], xmm1
    ret
32: cmp rdx, 64
    ja 64f
    vmovdqu ymm0, ymmword ptr [rsi]             # 33..64
    vmovdqu ymm1, ymmword ptr [rsi + rdx - 32]
    vmovdqu ymmword ptr [rdi], ymm0
    vmovdqu ymmword ptr [rdi + rdx - 32], ymm1
    vzeroupper
    ret
64: cmp rdx, 128
    ja 128f
    vmovdqu ymm0, ymmword ptr [rsi]             # 65..128
    vmovdqu ymm1, ymmword ptr [rsi + 32]
    vmovdqu ymm2, ymmword ptr [rsi + rdx - 64]
    vmovdqu ymm3, ymmword ptr [rsi + rdx - 32]
    vmovdqu ymmword ptr [rdi], ymm0
    vmovdqu ymmword ptr [rdi + 32], ymm1
    vmovdqu ymmword ptr [rdi + rdx - 64], ymm2
    vmovdqu ymmword ptr [rdi + rdx - 32], ymm3
    vzeroupper
    ret
128:
    mov rcx, rdi
    sub rcx, rsi                # to - from
    je 7f                       # onto itself
    cmp rcx, rdx
    jb 5f                       # `to` starts inside `from`: backwards
    cmp rdx, REP_MIN
    jb 2f
    mov r8, rsi
    sub r8, rdi
    cmp r8, rdx
    jb 2f                       # overlap with `to` below: rep movsb is right but slow
    mov rcx, rdx
    rep movsb
    ret
    # Forwards. The last 128 bytes are loaded first: the loop may overwrite them.
2:  vmovdqu ymm4, ymmword ptr [rsi + rdx - 128]
    vmovdqu ymm5, ymmword ptr [rsi + rdx - 96]
    vmovdqu ymm6, ymmword ptr [rsi + rdx - 64]
    vmovdqu ymm7, ymmword ptr [rsi + rdx - 32]
    lea r9, [rdi + rdx - 128]   # where they go
3:  vmovdqu ymm0, ymmword ptr [rsi]
    vmovdqu ymm1, ymmword ptr [rsi + 32]
    vmovdqu ymm2, ymmword ptr [rsi + 64]
    vmovdqu ymm3, ymmword ptr [rsi + 96]
    vmovdqu ymmword ptr [rdi], ymm0
    vmovdqu ymmword ptr [rdi + 32], ymm1
    vmovdqu ymmword ptr [rdi + 64], ymm2
    vmovdqu ymmword ptr [rdi + 96], ymm3
    sub rsi, -128
    sub rdi, -128
    cmp rdi, r9
    jb 3b
    vmovdqu ymmword ptr [r9], ymm4
    vmovdqu ymmword ptr [r9 + 32], ymm5
    vmovdqu ymmword ptr [r9 + 64], ymm6
    vmovdqu ymmword ptr [r9 + 96], ymm7
    vzeroupper
    ret
    # Backwards. The first 128 bytes are loaded first.
5:  vmovdqu ymm4, ymmword ptr [rsi]
    vmovdqu ymm5, ymmword ptr [rsi + 32]
    vmovdqu ymm6, ymmword ptr [rsi + 64]
    vmovdqu ymm7, ymmword ptr [rsi + 96]
6:  vmovdqu ymm0, ymmword ptr [rsi + rdx - 32]
    vmovdqu ymm1, ymmword ptr [rsi + rdx - 64]
    vmovdqu ymm2, ymmword ptr [rsi + rdx - 96]
    vmovdqu ymm3, ymmword ptr [rsi + rdx - 128]
    vmovdqu ymmword ptr [rdi + rdx - 32], ymm0
    vmovdqu ymmword ptr [rdi + rdx - 64], ymm1
    vmovdqu ymmword ptr [rdi + rdx - 96], ymm2
    vmovdqu ymmword ptr [rdi + rdx - 128], ymm3
    add rdx, -128
    cmp rdx, 128
    ja 6b
    vmovdqu ymmword ptr [rdi], ymm4
    vmovdqu ymmword ptr [rdi + 32], ymm5
    vmovdqu ymmword ptr [rdi + 64], ymm6
    vmovdqu ymmword ptr [rdi + 96], ymm7
    vzeroupper
7:  ret
    .size plan_memmove, . - plan_memmove

# void *plan_memset(void *to, int byte, size_t n)
    .section .text.plan_memset, "ax", @progbits
    .globl plan_memset
    .type plan_memset, @function
    .p2align 5
plan_memset:
    mov rax, rdi
    movzx esi, sil
    mov rcx, 0x0101010101010101
    imul rsi, rcx               # the byte eight times
    cmp rdx, 16
    jae 16f
    cmp edx, 8
    jae 8f
    cmp edx, 4
    jae 4f
    test edx, edx
    jz 21f
    mov rcx, rdx
    shr rcx
    mov byte ptr [rdi], sil
    mov byte ptr [rdi + rcx], sil
    mov byte ptr [rdi + rdx - 1], sil
21: ret
4:  mov dword ptr [rdi], esi
    mov dword ptr [rdi + rdx - 4], esi
    ret
8:  mov qword ptr [rdi], rsi
    mov qword ptr [rdi + rdx - 8], rsi
    ret
16: cmp rdx, REP_MIN
    jae 9f
    vmovq xmm0, rsi
    vpbroadcastq ymm0, xmm0
    cmp rdx, 32
    ja 32f
    vmovdqu xmmword ptr [rdi], xmm0
    vmovdqu xmmword ptr [rdi + rdx - 16], xmm0
    vzeroupper
    ret
32: lea rcx, [rdi + rdx - 32]   # the last 32 bytes, which the loop may not reach exactly
2:  vmovdqu ymmword ptr [rdi], ymm0
    add rdi, 32
    cmp rdi, rcx
    jb 2b
    vmovdqu ymmword ptr [rcx], ymm0
    vzeroupper
    ret
9:  mov r8, rax
    mov eax, esi
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret
    .size plan_memset, . - plan_memset

# int plan_memcmp(const void *a, const void *b, size_t n); also used as bcmp
    .section .text.plan_memcmp, "ax", @progbits
    .globl plan_memcmp
    .type plan_memcmp, @function
    .p2align 5
plan_memcmp:
    cmp rdx, 32
    jb 3f
    lea r8, [rdx - 32]          # offset of the last whole vector
    xor ecx, ecx
    mov r9, rdx
    and r9, -64                 # whole pairs of vectors end here
    jz 21f
22: vmovdqu ymm0, ymmword ptr [rdi + rcx]
    vmovdqu ymm1, ymmword ptr [rdi + rcx + 32]
    vpcmpeqb ymm0, ymm0, ymmword ptr [rsi + rcx]
    vpcmpeqb ymm1, ymm1, ymmword ptr [rsi + rcx + 32]
    vpand ymm0, ymm0, ymm1
    vpmovmskb eax, ymm0
    cmp eax, -1
    jne 21f                     # a difference here: find it vector by vector
    add rcx, 64
    cmp rcx, r9
    jb 22b
    cmp rcx, rdx
    je 9f
    cmp rcx, r8
    cmova rcx, r8
21: vmovdqu ymm0, ymmword ptr [rdi + rcx]
    vpcmpeqb ymm0, ymm0, ymmword ptr [rsi + rcx]
    vpmovmskb eax, ymm0
    xor eax, -1                 # bits of the bytes that differ
    jnz 2f
    cmp rcx, r8
    je 9f                       # the last vector was equal
    add rcx, 32
    cmp rcx, r8
    cmova rcx, r8               # the last one overlaps its predecessor
    jmp 21b
2:  tzcnt eax, eax
    add rcx, rax
    movzx eax, byte ptr [rdi + rcx]
    movzx edx, byte ptr [rsi + rcx]
    sub eax, edx
    vzeroupper
    ret
9:  vzeroupper
    xor eax, eax
    ret
3:  cmp edx, 8
    jb 5f
    xor ecx, ecx                # 8..31: words, the last one overlapping
    lea r8, [rdx - 8]
4:  mov rax, qword ptr [rdi + rcx]
    mov r9, qword ptr [rsi + rcx]
    cmp rax, r9
    jne 7f
    cmp rcx, r8
    je 8f
    add rcx, 8
    cmp rcx, r8
    cmova rcx, r8
    jmp 4b
5:  xor ecx, ecx                # 0..7: bytes
6:  cmp rcx, rdx
    je 8f
    movzx eax, byte ptr [rdi + rcx]
    movzx r9d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r9d
    jz 6b
    ret
7:  bswap rax                   # the first differing byte decides: compare as big-endian
    bswap r9
    cmp rax, r9
    sbb eax, eax
    or eax, 1
    ret
8:  xor eax, eax
    ret
    .size plan_memcmp, . - plan_memcmp
