# The executable an image turns into for a moment: it maps the image again, by a descriptor, and goes
# on there. The kernel lets nobody write a file that is being executed; this one is executed instead.
#
# Intel syntax. A whole ELF file as data: src/os/image.rs writes it, and behind it the structure
# `Handover`, the program headers of the image, and its path. Everything is relative to the start of the
# file, which is mapped at BASE: below the executable (0x400000), above what the system keeps free at 0
# (64 KiB). The segment is given two pages; the file may end before.

    .set BASE, 0x200000

    .section .rodata.plan_stub, "a", @progbits
    .globl plan_stub
    .balign 8
plan_stub:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0   # 64 bit, little-endian, version 1
    .quad 0
    .short 2, 62                # ET_EXEC, x86-64
    .long 1
    .quad BASE + plan_stub_code - plan_stub
    .quad 64                    # program headers
    .quad 0                     # no sections
    .long 0
    .short 64, 56, 2, 64, 0, 0

    .long 1, 5                  # PT_LOAD, readable and executable
    .quad 0, BASE, BASE
    .quad 8192, 8192
    .quad 4096

    .long 0x6474e551, 6         # PT_GNU_STACK, not executable
    .quad 0, 0, 0, 0, 0, 16

# Registers: rbx = program header, ebp = how many are left; rsp stays as the kernel made it; no memory
# is written but the rest of the last page of data.
plan_stub_code:
    lea rbx, [rip + plan_stub_handover + 24]
    mov ebp, [rip + plan_stub_handover + 8]
21: sub ebp, 1
    js 24f
    cmp dword ptr [rbx], 1      # PT_LOAD
    jne 22f
    mov edx, [rbx + 4]          # protection: readable 4, writable 2, executable 1 in the file,
    mov eax, edx                # the other way round for mmap
    and edx, 2
    bt eax, 2
    adc edx, 0
    and eax, 1
    lea edx, [rdx + 4 * rax]
    mov r12, [rbx + 16]         # address
    mov r13, r12
    and r13d, 4095
    sub r12, r13                # its page
    mov r9, [rbx + 8]
    sub r9, r13                 # offset of that in the file
    mov r14, [rbx + 32]         # bytes in the file
    xor r15d, r15d
    test r14, r14
    jz 25f
    lea r15, [r13 + r14 + 4095]
    and r15, -4096              # whole pages of the file
    mov rdi, r12
    mov rsi, r15
    mov r8, [rip + plan_stub_handover]
    mov r10d, 0x100002          # MAP_PRIVATE, MAP_FIXED_NOREPLACE
    call plan_stub_map
25: mov rsi, [rbx + 40]
    lea rsi, [r13 + rsi + 4095]
    and rsi, -4096
    lea rdi, [r12 + r15]
    sub rsi, r15                # pages of zeros behind them
    jz 26f
    mov r8, -1
    xor r9d, r9d
    mov r10d, 0x100022          # MAP_ANONYMOUS, too
    call plan_stub_map
26: test edx, 2
    jz 22f
    test r15, r15
    jz 22f
    lea rdi, [r12 + r13]
    add rdi, r14
    lea rcx, [r12 + r15]
    sub rcx, rdi
    xor eax, eax
    rep stosb                   # what the last page of data has behind the file's part
22: add rbx, 56
    jmp 21b

24: lea rsi, [rip + plan_stub_handover]
    jmp [rip + plan_stub_handover + 16]

# mmap(rdi, rsi, edx, r10, r8, r9); comes back only if it is there.
plan_stub_map:
    mov eax, 9
    syscall
    cmp rax, rdi                # an old kernel may map elsewhere what does not fit
    jne 23f
    ret

23: mov eax, 1                  # write(2, message, length)
    mov edi, 2
    lea rsi, [rip + plan_stub_message]
    mov edx, offset plan_stub_message_length
    syscall
    mov eax, 231                # exit_group(70)
    mov edi, 70
    syscall
    ud2

plan_stub_message:
    .ascii "plan: cannot start: the system refuses to map the executable "
    .ascii "(raise ulimit -v or free memory)\n"
    .set plan_stub_message_length, . - plan_stub_message

    .org plan_stub + 576
    .set plan_stub_handover, plan_stub + 576
