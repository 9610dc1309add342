"""Start an interpreter that knows nothing of the one that starts it, for warm processes.

It loads little: the first such process is started before anything else is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "NBGRADER_EXECUTION": "autograde",
    # Large pages, and used again: fresh memory costs more than what is done with it.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
# The very package that asks for a process; its folder is on the path no longer than it takes to
# load it.
PACKAGES = str(Path(__file__).parents[2])
START = (
    "import sys; sys.path.insert(0, {0!r}); from nbreferee.startup import skip_address_grammar; "
    "skip_address_grammar(); from nbreferee.engine.{1} import main; main({0!r})"
)


def launch(
    module: str, arguments: Sequence[str], home: Path, handles: Sequence[int]
) -> subprocess.Popen[bytes]:
    """Start `main` of a module of the engine; it inherits `handles`, and nothing else."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-I", "-c", START.format(PACKAGES, module), *arguments],
        env={**ENVIRONMENT, **homes(home), "MPLCONFIGDIR": _matplotlib_cache()},
        cwd=home,
        pass_fds=handles,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def homes(home: Path) -> dict[str, str]:
    """Return the variables that name a home folder."""
    return {"HOME": str(home), "IPYTHONDIR": str(home / "ipython")}


def _matplotlib_cache() -> str:
    """Return the user's cache of fonts: without it, every process would make its own."""
    if there := os.environ.get("MPLCONFIGDIR"):
        return there
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return str(Path(base) / "matplotlib")
