# The executable an image turns into for a moment: it maps the image again, by a descriptor, and goes
# on there. The kernel lets nobody write a file that is being executed; this one is executed instead.
#
# Intel syntax. A whole ELF file as data: src/os/image.rs copies it, fills in what is marked "filled",
# appends what it hands over, and executes that. Everything is relative to the start of the file, which
# is mapped at BASE: below the executable (0x400000), above what the system keeps free at 0 (64 KiB).
# plan_stub_rows and what follows is the structure `Tail`.

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
    .quad 0, 0                  # filled: length in the file and in memory
    .quad 4096

    .long 0x6474e551, 6         # PT_GNU_STACK, not executable
    .quad 0, 0, 0, 0, 0, 16

# Registers: rbx = row of arguments; rsp stays as the kernel made it; no memory is written but what
# the rows name.
plan_stub_code:
    lea rbx, [rip + plan_stub_rows]
21: mov rsi, [rbx + 8]          # length; 0: no more rows
    test rsi, rsi
    jz 22f
    mov eax, 9                  # mmap(address, length, protection, flags, descriptor, offset)
    mov rdi, [rbx]
    mov rdx, [rbx + 16]
    mov r10, [rbx + 24]
    mov r8, [rbx + 32]
    mov r9, [rbx + 40]
    syscall
    cmp rax, [rbx]              # an old kernel may map elsewhere what does not fit
    jne 23f
    add rbx, 48
    jmp 21b

22: mov rdi, [rip + plan_stub_zero]
    mov rcx, [rip + plan_stub_zero + 8]
    xor eax, eax
    rep stosb                   # what the last page of data has behind the file's part
    lea rsi, [rip + plan_stub_handover]
    jmp [rip + plan_stub_resume]

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

    .org plan_stub + 512
plan_stub_rows:
    .set plan_stub_zero, plan_stub_rows + 9 * 48
    .set plan_stub_resume, plan_stub_zero + 16
    .set plan_stub_handover, plan_stub_resume + 8
