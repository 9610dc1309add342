"""Which test cells use what only a single process has: found by reading the instructor's notebook.

Such a cell patches a module, a builtin or a name of the notebook that student code reads, looks
into the interpreter, or reads IPython's history. Between two processes the patch would not reach
the student's code, and a wrong answer could pass. `engine.tester.patches` finds by running the
solution what is not seen here, and `grading.calibration` decides.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from nbreferee.course.dataflow import root_name, same_scope
from nbreferee.course.nodes import walk
from nbreferee.course.one_process_names import (
    CARRIED_BUILTINS,
    HISTORY,
    INSIDES,
    INTERPRETER,
    MAGICS,
    NAMESPACES,
    READ_ONLY,
    SETTINGS,
    SHELL,
)
from nbreferee.course.source import Master


def uses_one_process(master: Master) -> dict[str, str]:
    """Return why a test cell needs one process, by grade id; cells that do not are left out."""
    aliases = _module_aliases(master)
    defined = _functions_of_solutions(master)
    helpers = _helpers(master)
    found = {}
    for cell in master.tests:
        if cell.tree is None:
            continue
        trees = [cell.tree, *(helpers[name] for name in _helpers_used(cell.tree, helpers))]
        reason = next((why for tree in trees for why in _reasons(tree, aliases)), None)
        reason = (
            reason
            or next(_rebinds(cell.tree, defined), None)
            or next(_identities(cell.tree, aliases), None)
        )
        if reason:
            found[cell.grade_id] = reason
    return found


def _module_aliases(master: Master) -> dict[str, str]:
    """Return {name in the notebook: module} for all imports of modules, and of `patch`."""
    aliases = {"builtins": "builtins", "__builtins__": "builtins"}
    for cell in master.cells:
        for node in walk(cell.tree) if cell.is_code and cell.tree else ():
            if isinstance(node, ast.Import):
                aliases |= {
                    one.asname or one.name.split(".")[0]: one.name
                    if one.asname
                    else one.name.split(".")[0]
                    for one in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module:
                aliases |= {
                    one.asname or one.name: f"{node.module}.{one.name}" for one in node.names
                }
    return aliases


def _functions_of_solutions(master: Master) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {
        node.name
        for cell in master.answers
        if cell.tree
        for node in same_scope(cell.tree)
        if isinstance(node, kinds)
    }


def _helpers(master: Master) -> dict[str, ast.AST]:
    """Return the functions and classes that the instructor's own cells define."""
    own = [cell for cell in master.cells if cell.is_code and not cell.solution]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {
        node.name: node
        for cell in own
        if cell.tree
        for node in same_scope(cell.tree)
        if isinstance(node, kinds)
    }


def _helpers_used(tree: ast.AST, helpers: dict[str, ast.AST]) -> set[str]:
    used: set[str] = set()
    left = [tree]
    while left:
        names = {
            node.id for node in walk(left.pop()) if isinstance(node, ast.Name)
        } & helpers.keys() - used
        used |= names
        left += [helpers[name] for name in names]
    return used


def _reasons(tree: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    for node in walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
            node.ctx, (ast.Store, ast.Del)
        ):
            yield from _store(node, aliases)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(node, aliases)
        elif isinstance(node, ast.Name):
            yield from _name(node, aliases)
        elif isinstance(node, ast.Call):
            yield from _call(node, aliases)


def _module_of(node: ast.AST, aliases: dict[str, str]) -> str:
    """Return the module that an expression such as np.random names; '' where it names none."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id, "")
    if isinstance(node, ast.Attribute):
        inner = _module_of(node.value, aliases)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sys.modules":
        return "sys.modules"
    return ""


def _store(node: ast.Attribute | ast.Subscript, aliases: dict[str, str]) -> Iterator[str]:
    """Yield that a part of a module is replaced, deleted or set."""
    module = _module_of(node.value, aliases)
    name = f"{module}.{node.attr}" if isinstance(node, ast.Attribute) else f"{module}[...]"
    if name in ("sys.stdout", "sys.stdin", "sys.stderr") or (
        module == "builtins" and name.partition(".")[2] in CARRIED_BUILTINS
    ):
        return
    if module:
        yield f"it sets {name}"
    elif ast.unparse(node.value) in NAMESPACES:
        yield f"it sets a name through {ast.unparse(node.value)}"


def _attribute(node: ast.Attribute, aliases: dict[str, str]) -> Iterator[str]:
    module = _module_of(node.value, aliases)
    watched = INTERPRETER.get(module, ())
    if (node.attr in watched or "*" in watched) and (module, node.attr) not in READ_ONLY:
        yield f"it uses {module}.{node.attr}"
    if node.attr in INSIDES:
        yield f"it reads {node.attr}"
    if (
        node.attr in SHELL
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "get_ipython"
    ):
        yield f"it uses the shell's {node.attr}"


def _name(node: ast.Name, aliases: dict[str, str]) -> Iterator[str]:
    if isinstance(node.ctx, ast.Load) and node.id in HISTORY - {"_"}:
        yield f"it reads {node.id}, the notebook's history"
    module, _, name = aliases.get(node.id, "").rpartition(".")
    watched = INTERPRETER.get(module, ())
    if (
        module
        and isinstance(node.ctx, ast.Load)
        and (name in watched or "*" in watched)
        and (module, name) not in READ_ONLY
    ):
        yield f"it uses {module}.{name}"


def _call(node: ast.Call, aliases: dict[str, str]) -> Iterator[str]:
    called = _module_of(node.func, aliases)
    first = node.args[0] if node.args else None
    if (
        isinstance(node.func, ast.Name)
        and node.func.id in ("setattr", "delattr")
        and first is not None
        and _module_of(first, aliases)
    ):
        yield f"it sets a part of {_module_of(first, aliases)}"
    if called and called.rpartition(".")[2] in SETTINGS:
        yield f"it calls {called}, which holds for the whole process"
    if (
        ast.unparse(node.func).startswith("get_ipython().run_")
        and isinstance(first, ast.Constant)
        and first.value in MAGICS
    ):
        yield f"it uses the magic %{first.value}"
    if called == "importlib.reload":
        yield "it reloads a module"
    if called.partition("mock.patch")[1]:
        target = first.value if isinstance(first, ast.Constant) else _patched_object(node)
        carried = called.endswith("mock.patch") and target in {
            f"builtins.{name}" for name in CARRIED_BUILTINS
        }
        if not carried:
            yield f"it patches {target!s}"


def _patched_object(node: ast.Call) -> str:
    """Return what a call such as mock.patch.object(random, "randint") patches, in words."""
    parts = [
        str(one.value) if isinstance(one, ast.Constant) else ast.unparse(one)
        for one in node.args[:2]
    ]
    return ".".join(parts) if parts else "something"


def _identities(tree: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    """Yield that a test asks for two results to be different objects: copies of one object always
    are.

    That they be one object needs no look here: where copies are not, the solution shows it.
    """
    results: set[str] = set()
    for node in walk(tree):
        if isinstance(node, ast.Assign) and any(
            _is_result(one, aliases) for one in walk(node.value)
        ):
            results |= {
                one.id
                for target in node.targets
                for one in walk(target)
                if isinstance(one, ast.Name)
            }
    for node in walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.IsNot) for one in node.ops):
            sides = [node.left, *node.comparators]
            if all(
                _is_result(one, aliases) or (isinstance(one, ast.Name) and one.id in results)
                for one in sides
            ):
                yield "it asks whether two results are different objects"


def _is_result(node: ast.AST, aliases: dict[str, str]) -> bool:
    """Tell whether an expression is a call of a function that may be the student's, and no class or
    library's.
    """
    if not isinstance(node, ast.Call):
        return False
    root = root_name(node.func)
    return root not in aliases and not hasattr(builtins, root) and not root[:1].isupper()


def _rebinds(tree: ast.AST, defined: set[str]) -> Iterator[str]:
    """Yield that a test gives another meaning to a function of the solution, or to a builtin."""
    own = {
        id(one)
        for node in walk(tree)
        if isinstance(node, ast.comprehension)
        for one in walk(node.target)
    }
    for node in same_scope(tree):
        if id(node) in own:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            name = node.id
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = node.name
        else:
            continue
        if name in defined:
            yield f"it replaces {name}, which student code may call"
        elif hasattr(builtins, name) and name not in CARRIED_BUILTINS and name != "_":
            yield f"it replaces {name} of Python"
