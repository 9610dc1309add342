"""Tell whether an assignment's cells may replace something in a module, as a test that patches
does.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping

from nbreferee.course.context import stateless_modules
from nbreferee.course.nodes import parse, walk
from nbreferee.course.stateless import MODULES

PATCHING = frozenset(
    "__class__ __delattr__ __dict__ __globals__ __import__ __setattr__ breakpoint chdir chroot "
    "compile delattr environ environb eval exec fchdir get_ipython globals import_module locals "
    "mock modules patch putenv reload setattr setprofile settrace switch_backend unsetenv use "
    "vars".split()
)
# Libraries that replace nothing in a module but by these names.
LIBRARIES = MODULES | frozenset(
    "bisect calendar csv datetime decimal hashlib heapq json networkx operator os pandas pathlib "
    "PIL random seaborn secrets sklearn statsmodels sympy unittest".split()
)


def may_patch(sources: Iterable[str], files: Mapping[str, bytes]) -> bool:
    """Tell whether cells may replace something in a module; True where that cannot be told.

    `sources` are all cells of the instructor's, `files` the instructor's modules, by name.
    """
    kin = stateless_modules(files)
    if not kin and any(name.endswith(".py") for name in files):
        return True
    try:
        trees = [parse(source) for source in sources]
    except (SyntaxError, ValueError):
        return True
    return any(_patches(tree, kin) for tree in trees)


def _patches(tree: ast.Module, kin: Collection[str]) -> bool:
    nodes = walk(tree)
    own = {one.name for one in nodes if isinstance(one, (ast.FunctionDef, ast.ClassDef))}
    return any(_is_patching(node, kin, own) for node in nodes)


def _is_patching(node: ast.AST, kin: Collection[str], own: Collection[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in PATCHING
        case ast.Constant(value=str(text)):  # getattr(math, "__dict__")
            return text in PATCHING
        case ast.Attribute(attr=name, value=ast.Name(id=root)) if root in own:
            return name in PATCHING
        case ast.Attribute(attr=name, ctx=context):
            return name in PATCHING or not isinstance(context, ast.Load)
        case ast.Import(names=names):
            return not {one.name.split(".")[0] for one in names} <= LIBRARIES | set(kin)
        case ast.ImportFrom(module=module, names=names):
            if any(one.name in PATCHING for one in names):
                return True
            return (module or "").split(".")[0] not in LIBRARIES | set(kin)
    return False
