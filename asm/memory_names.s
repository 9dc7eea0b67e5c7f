# The standard names of the routines in asm/memory.s, for the executable only: a hosted test has the
# C library's.

    .globl memcpy, memmove, memset, memcmp, bcmp
    .set memcpy, plan_memmove
    .set memmove, plan_memmove
    .set memset, plan_memset
    .set memcmp, plan_memcmp
    .set bcmp, plan_memcmp
