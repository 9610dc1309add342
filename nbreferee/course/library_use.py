"""Tell which uses of libraries keep no trace: what is called, what is only named, what is changed.

A module, a class of a library or one of its containers is one for the whole process. A name that a
cell gives it, or a function that it is handed to, could change it for cells that do not know that
name. So these are known only where they are called or named at a place that keeps nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection

from nbreferee.course.known_calls import (
    CHANGING_FUNCTIONS,
    MANY_ARGUMENTS,
    MARKING,
    MODULES,
    ONE_ARGUMENT,
    OUT_OF_METHODS,
    OVERWRITING,
    READING_METHODS,
    UNCHANGEABLE,
    UNKNOWN_MEMBERS,
    WITH_STATE,
)
from nbreferee.course.nodes import walk

FOREIGN = (sys.stdlib_module_names | {"np", "numpy", "mpl", "matplotlib", "scipy"}) - {
    "copy", "fractions", "string", "dataclasses", "cmath", "statistics", "select", "numbers",
    "signal", "test", "struct", "array", "code", "stat", "trace", "abc", "types", "tokenize",
}  # fmt: skip
CALLING = frozenset(  # they call what they are given, with any number of arguments
    "accumulate apply_along_axis apply_over_axes dropwhile filterfalse frompyfunc fromfunction "
    "groupby partial piecewise reduce starmap takewhile vectorize".split()
)
SET_BY_DRAWING = frozenset(
    "ax axes cax fig figure format handles norm out ticks".split()
)  # keywords
ITERATING = frozenset("broadcast ndenumerate ndindex nditer nested_iters".split())  # of NumPy


def why_not(
    path: str,
    modules: Collection[str],
    stateful: Collection[str],
    *,
    is_called: bool,
    is_safe: bool,
) -> str:
    """Return why a use of a library is not known, or ''.

    Parameters
    ----------
    path
        what is used, with all its dots.
    modules
        the instructor's modules that keep nothing.
    stateful
        names in them of what can be changed.
    is_safe
        whether the use keeps no reference.
    """
    module, members = _split(path, modules)
    if not members:
        return f"it uses the module {path} itself"
    first, last = members[0], members[-1]
    if path in ("numpy.random.seed", "numpy.random.default_rng"):
        return "" if is_called else f"it keeps {path}"
    for one in members:
        if one.startswith("_") and one not in ("__name__", "__doc__"):
            return f"it uses {one} of {module}"
        if module not in modules and one in FOREIGN | UNKNOWN_MEMBERS and members[:1] != ["cm"]:
            return f"it uses {one} of {module}"
    if module in modules and first in stateful:
        return f"it uses {first}, which can be changed"
    if len(members) == 1:
        return "" if is_called or _is_harmless(module, first, is_safe) else f"it keeps {path}"
    if module == "numpy" and first == "ma" and last.startswith("masked_"):
        return "" if is_called and len(members) == 2 else f"it uses {path}"
    if module == "matplotlib.pyplot" and first == "cm" and len(members) == 2:
        return "" if is_called or is_safe else f"it keeps {path}"
    if last in ("__name__", "__doc__") and len(members) == 2:
        return ""
    known = last in READING_METHODS or (last in ("at", "sort", "fill") and module == "numpy")
    return "" if is_called and known and len(members) == 2 else f"it uses {path}"


def _split(path: str, modules: Collection[str]) -> tuple[str, list[str]]:
    """Return the module of a dotted name, and the rest of it."""
    parts = path.split(".")
    for number in range(len(parts), 0, -1):
        module = ".".join(parts[:number])
        if module in MODULES or parts[0] in modules:
            start = number if module in MODULES else 1
            return ".".join(parts[:start]), parts[start:]
    return parts[0], parts[1:]


def _is_harmless(module: str, member: str, is_safe: bool) -> bool:
    """Tell whether a reference to a member of a module can change nothing."""
    if module == "itertools" or member in CHANGING_FUNCTIONS:
        return False
    if is_safe or member in UNCHANGEABLE:
        return True
    return member not in WITH_STATE and (not member[:1].isupper() or member.isupper())


def changes_arguments(path: str, call: ast.Call) -> bool:
    """Tell whether a call of a library may change one of its arguments."""
    name, count = path.rpartition(".")[2], len(call.args)
    names = [one.arg or "out" for one in call.keywords]
    is_method = name in OUT_OF_METHODS and path.count(".") > 1  # of a ufunc
    if (
        name in CHANGING_FUNCTIONS | MARKING
        or (name in CALLING and not is_method)
        or path.startswith("numpy.ndarray.")
        or (name in ("sort", "fill") and path.count(".") > 1)  # of a kind of arrays
        or (name in OVERWRITING and count > 3)
    ):
        return True
    if any(one == "out" or one.startswith("overwrite") for one in names):
        return True
    if any(isinstance(one, ast.Starred) for one in call.args):
        return True
    if is_method:
        return count >= OUT_OF_METHODS[name]
    if name == "deepcopy":
        return count > 1 or "memo" in names
    if name == "nan_to_num":
        return count > 1 or "copy" in names
    if path.startswith("scipy.linalg.") and any(map(_is_true, call.args[1:])):
        return True  # it may be told to overwrite what it gets
    if path.startswith("matplotlib.") and not SET_BY_DRAWING.isdisjoint(names):
        return True
    if not path.startswith(("numpy.", "scipy.")) or name in MANY_ARGUMENTS:
        return False
    if name in OUT_OF_METHODS:
        return count > OUT_OF_METHODS[name]
    few = 1 if name in ONE_ARGUMENT or path.startswith("scipy.") else 2
    return any(map(_names_something, call.args[few:]))


def changes_receiver(name: str, call: ast.Call) -> bool:
    """Tell whether a method that only reads is told to write its result into an array."""
    if any(one.arg in ("out", None) for one in call.keywords):
        return True
    most = OUT_OF_METHODS.get(name)
    if most is None:
        return False
    return len(call.args) >= most or any(isinstance(one, ast.Starred) for one in call.args)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)


def _names_something(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Name) for one in walk(node))
