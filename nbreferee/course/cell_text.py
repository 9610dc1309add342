"""Translate the text of a cell to plain Python as IPython does: magics, prompts, indents."""

from __future__ import annotations

import re
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

from nbreferee.course.nodes import parse

INLINE = "get_ipython().run_line_magic('matplotlib', 'inline')"  # which changes nothing here
HIDDEN = "get_ipython().automagic()"  # stands for a magic that is written without its sign
# IPython's line magics, and aliases of shell commands: alone on a line they need no %.
_AUTOMAGIC = frozenset(
    "alias alias_magic autoawait autocall autoindent automagic bookmark cat cd clear code_wrap "
    "colors conda config cp debug dhist dirs doctest_mode ed edit env gui hist history "
    "killbgscripts ldir less lf lk ll load load_ext loadpy logoff logon logstart logstate logstop "
    "ls lsmagic lx macro magic mamba man matplotlib micromamba mkdir more mv notebook page "
    "pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision prun psearch psource "
    "pushd pwd pycat pylab quickref recall rehashx reload_ext rep rerun reset reset_selective rm "
    "rmdir run save sc set_env store subplots sx system tb time timeit unalias unload_ext uv who "
    "who_ls whos xdel xmode".split()
)
_FIRST_WORD = re.compile(r"\s*(\w+)(\s*=(?!=))?")


@lru_cache(maxsize=4096)
def as_python(source: str) -> str:
    """Return a cell as plain Python: with its magics and shell commands as calls."""
    try:
        python = transformed(source).replace(INLINE, "None")
    except SyntaxError:  # the cell fails before it does anything
        return "("
    return HIDDEN if _may_be_magic(python) else python


def transformed(source: str) -> str:
    """Return a cell with IPython's own syntax turned into calls.

    Raises
    ------
    SyntaxError
        where IPython finds none in it that it could turn.
    """
    if not any(sign in source for sign in "%!?") and _is_plain(source):
        return source
    return TransformerManager().transform_cell(source)


def _is_plain(source: str) -> bool:
    """Tell whether a cell is Python as it stands, with nothing for IPython to take away."""
    lines = source.split("\n", 2)
    starts = any(one[:1] in (" ", "\t") or one.startswith(("...", ">>>")) for one in lines[:2])
    if starts and not source[:1].isalpha():
        return False
    try:
        parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _may_be_magic(python: str) -> bool:
    """Tell whether IPython may take a cell of one line for a magic: where no name hides it."""
    lines = [one for one in python.splitlines() if one.strip()]  # it strips empty ones
    if len(lines) != 1:
        return False
    found = _FIRST_WORD.match(lines[0])
    return found is not None and found[1] in _AUTOMAGIC and not found[2]
