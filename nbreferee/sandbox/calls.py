"""The system calls that a box may make: an allow list. Whatever is not named here is refused.

It is Docker's default list (moby, profiles/seccomp/default_linux.go), less the calls that

- talk to anybody who is not connected already: accept, bind, connect, listen, socket;
- keep data or memory outside of every process: memfd_*, mq_*, msg*, sem*, shm*, and pipes moved by splice;
- reach into other processes: kcmp, pidfd_*, process_*, ptrace, rt_*sigqueueinfo;
- change who a process is or how calls are filtered: cap*, set*id, personality, seccomp, landlock_*;
- are a large part of the kernel that no notebook needs: aio, io_uring, fanotify, modify_ldt;
- slow down the whole machine: sync, syncfs.

Of systemd's groups these are refused whole: @clock, @cpu-emulation, @debug, @keyring,
@module, @mount, @obsolete, @raw-io, @reboot, @setuid and @swap (systemd.exec(5), SystemCallFilter=).
Numbers: asm/unistd_64.h and asm-generic/unistd.h of Linux.
"""

from __future__ import annotations

# name: (number on x86_64, on aarch64); None where the machine has no such call
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # files
    "access": (21, None), "cachestat": (451, 451), "chdir": (80, 49), "chmod": (90, None),
    "chown": (92, None), "close": (3, 57), "close_range": (436, 436), "copy_file_range": (326, 285),
    "creat": (85, None), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "faccessat": (269, 48),
    "faccessat2": (439, 439), "fadvise64": (221, 223), "fallocate": (285, 47), "fchdir": (81, 50),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchown": (93, 55),
    "fchownat": (260, 54), "fdatasync": (75, 83), "fgetxattr": (193, 10), "flistxattr": (196, 13),
    "flock": (73, 32), "fremovexattr": (199, 16), "fsetxattr": (190, 7), "fstat": (5, 80),
    "fstatfs": (138, 44), "fsync": (74, 82), "ftruncate": (77, 46), "futimesat": (261, None),
    "getcwd": (79, 17), "getdents": (78, None), "getdents64": (217, 61), "getxattr": (191, 8),
    "inotify_add_watch": (254, 27), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "inotify_rm_watch": (255, 28), "lchown": (94, None), "lgetxattr": (192, 9), "link": (86, None),
    "linkat": (265, 37), "listxattr": (194, 11), "llistxattr": (195, 12), "lremovexattr": (198, 15),
    "lseek": (8, 62), "lsetxattr": (189, 6), "lstat": (6, None), "mkdir": (83, None), "mkdirat": (258, 34),
    "mknod": (133, None), "mknodat": (259, 33), "newfstatat": (262, 79), "open": (2, None),
    "openat": (257, 56), "openat2": (437, 437), "pread64": (17, 67), "preadv": (295, 69),
    "preadv2": (327, 286), "pwrite64": (18, 68), "pwritev": (296, 70), "pwritev2": (328, 287),
    "read": (0, 63), "readahead": (187, 213), "readlink": (89, None), "readlinkat": (267, 78),
    "readv": (19, 65), "removexattr": (197, 14), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "rmdir": (84, None), "sendfile": (40, 71), "setxattr": (188, 5),
    "stat": (4, None), "statfs": (137, 43), "statx": (332, 291), "symlink": (88, None),
    "symlinkat": (266, 36), "sync_file_range": (277, 84), "truncate": (76, 45), "umask": (95, 166),
    "unlink": (87, None), "unlinkat": (263, 35), "utime": (132, None), "utimensat": (280, 88),
    "utimes": (235, None), "write": (1, 64), "writev": (20, 66),
    # waiting, pipes and connected sockets
    "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_ctl_old": (214, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "epoll_wait": (232, None), "epoll_wait_old": (215, None), "eventfd": (284, None), "eventfd2": (290, 19),
    "getpeername": (52, 205), "getsockname": (51, 204), "getsockopt": (55, 209), "pipe": (22, None),
    "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73), "pselect6": (270, 72), "recvfrom": (45, 207),
    "recvmsg": (47, 212), "select": (23, None), "sendmsg": (46, 211), "sendto": (44, 206),
    "setsockopt": (54, 208), "shutdown": (48, 210), "signalfd": (282, None), "signalfd4": (289, 74),
    "timerfd_create": (283, 85), "timerfd_gettime": (287, 87), "timerfd_settime": (286, 86),
    # memory
    "brk": (12, 214), "madvise": (28, 233), "map_shadow_stack": (453, 453), "membarrier": (324, 283),
    "mincore": (27, 232), "mlock": (149, 228), "mlock2": (325, 284), "mlockall": (151, 230), "mmap": (9, 222),
    "mprotect": (10, 226), "mremap": (25, 216), "mseal": (462, 462), "msync": (26, 227),
    "munlock": (150, 229), "munlockall": (152, 231), "munmap": (11, 215), "pkey_alloc": (330, 289),
    "pkey_free": (331, 290), "pkey_mprotect": (329, 288),
    # processes, threads and signals
    "alarm": (37, None), "arch_prctl": (158, None), "capget": (125, 90), "exit": (60, 93),
    "exit_group": (231, 94), "futex": (202, 98), "futex_requeue": (456, 456), "futex_wait": (455, 455),
    "futex_waitv": (449, 449), "futex_wake": (454, 454), "get_robust_list": (274, 100),
    "get_thread_area": (211, None), "getitimer": (36, 102), "getpgid": (121, 155), "getpgrp": (111, None),
    "getpid": (39, 172), "getppid": (110, 173), "getpriority": (140, 141), "getrlimit": (97, 163),
    "getrusage": (98, 165), "getsid": (124, 156), "gettid": (186, 178), "ioprio_get": (252, 31),
    "pause": (34, None), "prctl": (157, 167), "restart_syscall": (219, 128), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigpending": (127, 136), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123), "sched_getattr": (315, 275), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "sched_rr_get_interval": (148, 127), "sched_yield": (24, 124),
    "set_robust_list": (273, 99), "set_thread_area": (205, None), "set_tid_address": (218, 96),
    "setitimer": (38, 103), "setpgid": (109, 154), "setrlimit": (160, 164), "setsid": (112, 157),
    "sigaltstack": (131, 132), "timer_create": (222, 107), "timer_delete": (226, 111),
    "timer_getoverrun": (225, 109), "timer_gettime": (224, 108), "timer_settime": (223, 110),
    "times": (100, 153), "wait4": (61, 260), "waitid": (247, 95),
    # users, time and the machine
    "clock_getres": (229, 114), "clock_gettime": (228, 113), "clock_nanosleep": (230, 115),
    "getcpu": (309, 168), "getegid": (108, 177), "geteuid": (107, 175), "getgid": (104, 176),
    "getgroups": (115, 158), "getrandom": (318, 278), "getresgid": (120, 150), "getresuid": (118, 148),
    "gettimeofday": (96, 169), "getuid": (102, 174), "nanosleep": (35, 101), "sysinfo": (99, 179),
    "time": (201, None), "uname": (63, 160),
}  # fmt: skip
NEW_PROCESSES = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
}
SIGNALS = {"kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130)}

# These are allowed or refused by what they are asked to do.
CLONE, CLONE3 = (56, 220), (435, 435)
FCNTL, IOCTL, SOCKETPAIR, SETPRIORITY = (72, 25), (16, 29), (53, 199), (141, 140)
OF_A_PROCESS = {
    "prlimit64": (302, 261), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}  # fmt: skip

NEWEST = 462  # calls beyond this one are not known here; libraries then fall back on older ones
