# The executable an image turns into for a moment: it maps the image again, by a descriptor, and goes
# on there. The kernel lets nobody write a file that is being executed; this one is executed
# instead, or an empty file takes the place of the executable of the process and this is run from
# memory, where the process may do that (plan_stub_swap).
#
# Intel syntax. A whole ELF file as data: src/os/image.rs writes it, and behind it the structure
# `Handover`, the program headers of the image, and its path. Everything is relative to the start of the
# file, which is mapped at BASE: the two pages between the executable and the persistence window,
# where it needs no page of page tables for itself. The file may end before them.

    .set BASE, 0x4fe000

    .set PROGRAM, 0x400000      # where the executable lies, up to BASE (linker.ld)

    .section .text.entry.stub, "ax", @progbits

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

# void plan_stub_swap(struct prctl_mm_map *map, usize *stack, int file, usize bytes, usize length), where
# all of this is at BASE: makes the file, which is empty, the executable of the process. That takes the
# place of an exec, which costs 40 microseconds more; the kernel allows it once nothing of the
# executable before is mapped. stack is that of the start of the process, bytes is how many there are
# at BASE, length is what the executable's file takes in memory: variables behind it, which all begin
# as zeros and were not touched yet, stay.
    .globl plan_stub_swap
plan_stub_swap:
    mov r12, rdi
    mov rsp, rsi
    mov r13d, edx
    mov r14, rcx
    mov edi, PROGRAM
    mov rsi, r8
    mov eax, 11                 # munmap
    syscall
    mov edi, 35                 # prctl(PR_SET_MM, PR_SET_MM_MAP, map, 104, 0)
    mov esi, 14
    mov rdx, r12
    mov r10d, 104
    xor r8d, r8d
    mov eax, 157
    syscall
    mov edi, r13d
    test eax, eax
    jnz 27f
    mov eax, 3                  # close: it is needed no more
    syscall
    push 1
    jmp 28f
27: lea rsi, [rip + plan_stub]          # write(file, this, bytes)
    mov rdx, r14
    mov eax, 1
    syscall
    cmp rax, r14
    jne 23f
    lea rsi, [rip + plan_stub + 8]      # execveat(file, "", argv, envp, AT_EMPTY_PATH)
    lea rdx, [rsp + 8]
    mov r10, [rsp]
    lea r10, [rsp + 8 * r10 + 16]
    mov r8d, 0x1000
    mov eax, 322
    syscall
    jmp 23f

# Registers: rbx = program header, ebp = how many are left; the word at rsp says whether the variables
# are there already, under it the stack stays as the kernel made it; no other memory is written but
# the rest of the last page of data.
plan_stub_code:
    push 0
28: lea rbx, [rip + plan_stub_handover + 24]
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
    jnz 29f
    cmp qword ptr [rsp], 0
    jne 22f
    jmp 25f
29: lea r15, [r13 + r14 + 4095]
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

24: pop rax
    lea rsi, [rip + plan_stub_handover]
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

    .org plan_stub + 720
    .set plan_stub_handover, plan_stub + 720
