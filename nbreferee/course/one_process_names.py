"""Names and magics by which a cell uses what only a single process has."""

from __future__ import annotations

CARRIED_BUILTINS = {
    "input",
    "print",
    "open",
}  # replaced for student code as well, when a test replaces them
HISTORY = {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"}
INTERPRETER = {
    "sys": {
        "modules",
        "_getframe",
        "settrace",
        "setprofile",
        "setrecursionlimit",
        "path",
        "meta_path",
        "path_hooks",
    },
    "inspect": {"currentframe", "stack", "getouterframes"},
    "os": {"environ", "putenv", "chdir", "umask"},
    "gc": {"*"},
    "signal": {"*"},
    "locale": {"*"},
    "tracemalloc": {"*"},
    "resource": {"*"},
    "atexit": {"*"},
}
READ_ONLY = {("os", "environ")}  # reading these is harmless: only a store counts
INSIDES = {
    "__globals__",
    "__builtins__",
    "__subclasses__",
    "f_globals",
    "f_locals",
    "f_back",
    "__closure__",
}
SETTINGS = {
    "set_printoptions",
    "set_option",
    "seterr_call",
    "setcontext",
    "setlocale",
}  # of a library, for the whole process
SHELL = {"run_cell", "ex", "ev", "reset"}
NAMESPACES = {
    "globals()",
    "vars()",
    "locals()",
    "get_ipython().user_ns",
    "__main__.__dict__",
    "vars(__main__)",
}
MAGICS = {
    "run",
    "load",
    "rerun",
    "recall",
    "macro",
    "store",
    "reset",
    "cd",
    "env",
    "set_env",
    "autoreload",
    "pylab",
}
