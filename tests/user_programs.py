"""Small programs for Linux on x86-64 without a C library, each of which does one thing."""

from __future__ import annotations

import subprocess
from pathlib import Path

HEAD = """
typedef unsigned long u64;
static u64 call(u64 n, u64 a, u64 b, u64 c, u64 d) {
    u64 r;
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = ~0ul;
    register u64 r9 __asm__("r9") = 0;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return r;
}
static void out(const char *text) {
    u64 n = 0;
    while (text[n]) n++;
    call(1, 1, (u64)text, n, 0);
}
static void leave(u64 status) { for (;;) call(231, status, 0, 0, 0); }
static u64 map(u64 size, u64 prot) { return call(9, 0, size, prot, 0x22); }
static void check(int line, int good) { if (!good) leave(line); }
#define CHECK(x) check(100 + __LINE__, (x)) /* of the body */
#define ERROR(e) ((u64)-(e))
#define KERNEL 0x100000ul
static volatile u64 data = 1, bss[4096];
void start(u64 *stack);
__asm__(".globl _start\\n_start: movq %rsp, %rdi\\n andq $-16, %rsp\\n call start\\n");
#define HIDDEN __attribute__((visibility("hidden")))
void start(u64 *stack) {
#line 0
"""

# Each body is the function start(), which need not return.
BODIES = {
    "exit": 'out("good"); leave(7);',
    "input": """
        char bytes[16]; u64 n = call(0, 0, (u64)bytes, 16, 0);
        CHECK(call(0, 0, (u64)bytes, 16, 0) == 0);
        call(1, 1, (u64)bytes, n, 0); leave(n);""",
    "stderr": 'call(1, 2, (u64)"what\\x1bis said", 12, 0); leave(0);',
    "null": "*(volatile int *)0 = 1;",
    "readkernel": "data = *(volatile u64 *)KERNEL; leave(1);",
    "writekernel": "*(volatile u64 *)KERNEL = 1; leave(1);",
    "jumpkernel": "((void (*)(void))KERNEL)(); leave(1);",
    "highhalf": "data = *(volatile u64 *)0xffffffff80000000; leave(1);",
    "text": "*(volatile char *)(u64)start = 1; leave(1);",
    "nx": 'bss[0] = 0xc3; ((void (*)(void))(u64)bss)(); leave(1);',
    "ud": '__asm__ volatile("ud2");',
    "hlt": '__asm__ volatile("hlt");',
    "cli": '__asm__ volatile("cli");',
    "port": '__asm__ volatile("outb %al, $0x80");',
    "cr3": '__asm__ volatile("mov %%cr3, %%rax" : : : "rax");',
    "rdmsr": '__asm__ volatile("rdmsr" : : "c"(0xc0000080) : "rax", "rdx");',
    "swapgs": '__asm__ volatile("swapgs");',
    "iopl": """
        u64 f; __asm__ volatile("pushfq\\n orq $0x7200, (%%rsp)\\n popfq\\n pushfq\\n pop %0" : "=r"(f));
        CHECK((f & 0x3000) == 0); leave(call(39, 0, 0, 0, 0));""",
    "int3": '__asm__ volatile("int3");',
    "int80": '__asm__ volatile("int $0x80");',
    "int48": '__asm__ volatile("int $48");',
    "divide": '__asm__ volatile("divl %0" : : "r"(0) : "rax", "rdx");',
    "step": '__asm__ volatile("pushfq\\n orq $0x100, (%rsp)\\n popfq\\n nop\\n");',
    "stepcall": '__asm__ volatile("pushfq\\n orq $0x100, (%rsp)\\n movl $39, %eax\\n popfq\\n syscall\\n");',
    "badstack": '__asm__ volatile("movq $0x8000000000000000, %rsp\\n pushq $1");',
    "kernelstack": '__asm__ volatile("movl $39, %eax\\n movq $0x100000, %rsp\\n syscall\\n movl $3, %edi\\n movl $231, %eax\\n syscall");',
    "nocanon": '__asm__ volatile("movq $0x8000000000000000, %rax\\n jmp *%rax");',
    "gs": """
        __asm__ volatile("movw %w0, %%gs\\n movw %w0, %%fs\\n movw %w0, %%ds\\n movw %w0, %%es" : : "r"(0));
        for (u64 i = 0; i < 30000000; i++) data += i;
        CHECK(call(39, 0, 0, 0, 0) == 1);
        __asm__ volatile("movw %w0, %%gs\\n movw %w0, %%ds" : : "r"(0x2b));
        for (u64 i = 0; i < 1000000; i++) data += i;
        CHECK(call(158, 0x1001, (u64)&data, 0, 0) == ERROR(22)); /* ARCH_SET_GS */
        __asm__ volatile("movw %w0, %%gs" : : "r"(0x10)); /* the kernel's */""",
    "fsbase": """
        CHECK(call(158, 0x1002, 0x8000000000000000, 0, 0) == ERROR(1));
        CHECK(call(158, 0x1002, ~0ul, 0, 0) == ERROR(1));
        static u64 word = 42; u64 got;
        CHECK(call(158, 0x1002, (u64)&word, 0, 0) == 0);
        for (u64 i = 0; i < 30000000; i++) data += i;
        __asm__ volatile("movq %%fs:0, %0" : "=r"(got));
        leave(got);""",
    "vector": """
        __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\\n movdqa %%xmm0, %%xmm15" : : : "xmm0", "xmm15");
        for (u64 i = 0; i < 30000000; i++) data += i;
        u64 got; __asm__ volatile("movq %%xmm15, %0" : "=r"(got));
        leave(got == ~0ul ? 5 : 1);""",
    "endless": "for (;;) data++;",
    "endlesscalls": "for (;;) call(39, 0, 0, 0, 0);",
    "touchall": """
        u64 n = 0;
        for (;; n++) { u64 p = map(1 << 20, 3); if (p >= ERROR(4095)) leave(n);
            for (u64 i = 0; i < 1 << 20; i += 4096) *(volatile char *)(p + i) = 1; }""",
    "hog": """
        u64 n = 0; while (map(1 << 20, 3) < ERROR(4095)) n++;
        CHECK(map(1 << 20, 3) == ERROR(12)); leave(n);""",
    "sparse": """
        for (u64 i = 0; ; i++) { /* tables count, too */
            u64 at = 0x500000000000 + (i << 30);
            CHECK(call(9, at, 4096, 3, 0x32) == at); *(volatile char *)at = 1;
            CHECK(call(11, at, 4096, 0, 0) == 0); }""",
    "recursion": """
        __asm__ volatile("1: pushq $1\\n jmp 1b");""",
    "toomuch": """
        u64 p = map(1 << 20, 3); for (;;) CHECK(call(1, 1, p, 1 << 20, 0) == 1 << 20);""",
    "unknown": """
        CHECK(call(57, 0, 0, 0, 0) == ERROR(38)); /* fork */
        CHECK(call(59, 0, 0, 0, 0) == ERROR(38)); /* execve */
        CHECK(call(2, 0, 0, 0, 0) == ERROR(38)); /* open */
        CHECK(call(101, 0, 0, 0, 0) == ERROR(38)); /* ptrace */
        CHECK(call(335, 0, 0, 0, 0) == ERROR(38));
        CHECK(call(~0ul, 0, 0, 0, 0) == ERROR(38));
        CHECK(call(1ul << 32 | 39, 0, 0, 0, 0) == ERROR(38));
        CHECK(call(57, 0, 0, 0, 0) == ERROR(38)); leave(4);""",
    "pointers": """
        static const u64 bad[] = {0, 1, KERNEL, 0xfee00000, 0x3ffffffffff0, 0x7fffffffefff,
            0x7ffffffff000, 0x7ffffffffff0, 0x800000000000, ~0ul, ~0ul - 7, 0xffff800000000000};
        for (int i = 0; i < 12; i++) {
            CHECK(call(0, 0, bad[i], 5, 0) == ERROR(14) || i == 5);
            CHECK(call(1, 1, bad[i], 64, 0) == ERROR(14));
            CHECK(call(1, 2, bad[i], 64, 0) == ERROR(14));
            CHECK(call(228, 1, bad[i], 0, 0) == ERROR(14));
            CHECK(call(318, bad[i], 64, 0, 0) == ERROR(14));
            CHECK(call(99, bad[i], 0, 0, 0) == ERROR(14));
            CHECK(call(302, 0, 9, bad[i], 0) == ERROR(14) || bad[i] == 0);
            CHECK(call(302, 0, 9, 0, bad[i]) == ERROR(14) || bad[i] == 0);
            CHECK(call(13, 24, bad[i], 0, 8) == ERROR(14) || bad[i] == 0);
            CHECK(call(158, 0x1003, bad[i], 0, 0) == ERROR(14));
            CHECK(call(262, 1, bad[i], (u64)bss, 0x1000) == ERROR(14) || i == 5);
            CHECK(call(202, bad[i], 0, 0, 0) == ERROR(14));
        }
        CHECK(call(0, 0, (u64)start, 5, 0) == ERROR(14)); /* its own text */
        CHECK(call(0, 0, (u64)"constant", 5, 0) == ERROR(14));
        CHECK(call(0, 3, (u64)bss, 5, 0) == ERROR(9));
        CHECK(call(1, 0, (u64)bss, 5, 0) == ERROR(9));
        CHECK(call(0, 0, (u64)bss, ~0ul, 0) == 5);
        u64 p = map(8192, 3); CHECK(call(11, p + 4096, 4096, 0, 0) == 0);
        CHECK(call(1, 1, p + 4000, 200, 0) == ERROR(14));
        CHECK(call(10, p, 4096, 0, 0) == 0);
        CHECK(call(1, 1, p, 10, 0) == ERROR(14));
        leave(9);""",
    "memory": """
        u64 p = map(3 * 4096, 3); CHECK(p < ERROR(4095));
        volatile u64 *a = (volatile u64 *)p;
        a[0] = 1; a[512] = 2; a[1024] = 3;
        CHECK(call(10, p + 4096, 4096, 0, 0) == 0); /* no rights and back */
        CHECK(call(10, p + 4096, 4096, 3, 0) == 0); CHECK(a[512] == 2 && a[0] == 1 && a[1024] == 3);
        CHECK(call(11, p + 4096, 4096, 0, 0) == 0);
        CHECK(call(9, p + 4096, 4096, 3, 0x32) == p + 4096); CHECK(a[512] == 0 && a[1024] == 3);
        CHECK(call(9, p, 4096, 3, 0x32) == p); CHECK(a[0] == 0);
        CHECK(call(9, 0, 4096, 7, 0x22) == ERROR(13)); CHECK(call(10, p, 4096, 5, 0) == ERROR(13));
        CHECK(call(10, p, 3 * 4096 + 4096, 1, 0) == ERROR(12));
        CHECK(call(9, KERNEL, 4096, 3, 0x32) == ERROR(22)); CHECK(call(9, 0, 4096, 3, 0x32) == ERROR(22));
        CHECK(call(9, 0x7ffffffff000, 4096, 3, 0x32) == ERROR(22));
        CHECK(call(9, 0, 0, 3, 0x22) == ERROR(22)); CHECK(call(9, 0, ~0ul, 3, 0x22) == ERROR(22));
        CHECK(call(9, 0, 1ul << 45, 3, 0x22) == ERROR(12)); CHECK(call(9, 0, 4096, 3, 0x21) == ERROR(22));
        CHECK(call(11, KERNEL, 4096, 0, 0) == ERROR(22)); CHECK(call(11, p, ~0ul - 4095, 0, 0) == ERROR(22));
        CHECK(call(11, p + 1, 4096, 0, 0) == ERROR(22)); CHECK(call(10, KERNEL, 4096, 3, 0) == ERROR(22));
        u64 b = call(12, 0, 0, 0, 0); CHECK(call(12, b + 10000, 0, 0, 0) == b + 10000);
        *(volatile char *)(b + 9999) = 1; CHECK(call(12, b, 0, 0, 0) == b);
        CHECK(call(12, b + 10000, 0, 0, 0) == b + 10000); CHECK(*(volatile char *)(b + 9999) == 0);
        CHECK(call(12, ~0ul, 0, 0, 0) == b + 10000); CHECK(call(12, 1, 0, 0, 0) == b + 10000);
        u64 text = (u64)start & ~4095ul; CHECK(call(10, text, 4096, 3, 0) == 0);
        CHECK(call(10, text, 4096, 5, 0) == ERROR(13)); /* never again, and this page is data now: */
        leave(1);""",
    "limits": """
        u64 as[2] = {2 << 20, 2 << 20}, got[2];
        CHECK(call(302, 0, 9, (u64)as, 0) == 0); CHECK(map(4 << 20, 3) == ERROR(12));
        as[0] = as[1] = 1ul << 40; CHECK(call(302, 0, 9, (u64)as, (u64)got) == 0);
        CHECK(got[0] == 2 << 20); CHECK(map(4 << 20, 3) == ERROR(12));
        CHECK(call(302, 0, 0, 0, (u64)got) == 0); as[0] = 2; as[1] = 1;
        CHECK(call(302, 0, 0, (u64)as, 0) == ERROR(22)); CHECK(call(302, 0, 99, 0, 0) == ERROR(22));
        CHECK(call(302, 7, 0, 0, (u64)got) == ERROR(22));
        as[0] = 5; as[1] = 1ul << 62; CHECK(call(302, 0, 0, (u64)as, 0) == 0);
        for (;;) data++; /* the kernel's limit is as it was */""",
    "xcpu": """
        u64 action[4], cpu[2] = {0, 1};
        extern HIDDEN void handler(void); __asm__(".pushsection .text\\n handler: leaq 8(%rsp), %rax\\n testq $15, %rax\\n jnz 1f\\n movl $11, %edi\\n subl $24, %edi\\n negl %edi\\n movl $231, %eax\\n syscall\\n 1: ud2\\n .popsection");
        action[0] = (u64)handler; action[1] = 0x04000000; action[2] = (u64)handler; action[3] = 0;
        CHECK(call(13, 24, (u64)action, 0, 8) == 0);
        CHECK(call(302, 0, 0, (u64)cpu, 0) == 0);
        for (;;) data++;""",
    "xcpureturns": """
        u64 action[4], cpu[2] = {0, 9};
        extern HIDDEN void handler2(void); __asm__(".pushsection .text\\n handler2: retq\\n giveback: movl $15, %eax\\n syscall\\n .popsection");
        extern HIDDEN void giveback(void);
        action[0] = (u64)handler2; action[1] = 0x04000000; action[2] = (u64)giveback; action[3] = 0;
        CHECK(call(13, 24, (u64)action, 0, 8) == 0);
        CHECK(call(302, 0, 0, (u64)cpu, 0) == 0);
        for (;;) data++;""",
    "abort": "call(234, 1, 1, 6, 0); leave(1);",
    "auxv": """
        CHECK(stack[0] == 1 && stack[2] == 0 && stack[3] == 0 && (u64)stack % 16 == 0);
        u64 *a = stack + 4; u64 seen = 0;
        for (; a[0]; a += 2) { if (a[0] < 64) seen |= 1ul << a[0];
            if (a[0] == 3) CHECK(*(unsigned *)a[1] <= 6 || *(unsigned *)a[1] > 0x60000000);
            if (a[0] == 6) CHECK(a[1] == 4096);
            if (a[0] == 25) CHECK(*(u64 *)a[1] != 0); }
        CHECK((seen & 0x2000278) == 0x2000278); out((char *)stack[1]); leave(2);""",
}  # fmt: skip

FLAGS = (
    *("--target=x86_64-linux-gnu", "-O1", "-fPIE", "-static-pie", "-nostdlib", "-ffreestanding"),
    *("-fno-stack-protector", "-fuse-ld=lld", "-mno-red-zone", "-Wno-main", "-w"),
    "-Wl,--no-dynamic-linker",
)


def build(name: str, folder: Path, flags: tuple[str, ...] = ()) -> Path:
    """The program of that name as `NAME.ELF`; flags go to the compiler, too."""
    source, program = folder / f"{name}.c", folder / f"{name}.elf"
    source.write_text(HEAD + BODIES[name] + "\n}\n")
    subprocess.run(
        ["clang-19", *FLAGS, *flags, str(source), "-o", str(program)], check=True, timeout=60
    )
    return program
