"""Whether a test may replace something in a module: found by reading, True where it is not sure."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebooks import COURSE

from nbreferee.course.ownership import make_plan
from nbreferee.course.patching import may_patch
from nbreferee.course.source import read_master

HELPERS = {"helpers.py": b"import numpy as np\ndef near(a, b):\n    return np.allclose(a, b)\n"}
STATEFUL = {"helpers.py": b"import random\ndef fix():\n    random.randint = lambda a, b: 4\n"}


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.randint = lambda a, b: 99",
        "import numpy as np\ndel np.cumsum",
        "import numpy as np\nfor np.random.rand in [max]:\n    pass",
        "import numpy as np\nsetattr(np, 'sum', max)",
        "import numpy as np\nnp.__dict__['sum'] = max",
        "import math\nvars(math)['sqrt'] = max",
        "import math\ntype(math).__setattr__(math, 'sqrt', max)",
        "import sys\nsys.modules['math'] = None",
        "import builtins\nbuiltins.sum = max",
        "from unittest import mock\nwith mock.patch('time.time'):\n    assert f() == 1",
        "from unittest.mock import patch as replaced",
        "import freezegun",
        "import os\nos.environ['A'] = '1'",
        "import os\nos.chdir('data')",
        "import os\nos.environb[b'A'] = b'1'",
        "import os\nos.fchdir(3)",
        "import numpy as np\ngetattr(np, '__dict__')['sum'] = max",
        "exec('import math; math.sqrt = max')",
        "def use(module):\n    module.sqrt = max",
        "%cd data",
        "this is no Python",
    ],
)
def test_what_may_patch_is_seen(source: str) -> None:
    assert may_patch(["assert f(1) == 2", source], {})


@pytest.mark.parametrize(
    "source",
    [
        "assert f(1) == 2",
        "import numpy as np\nnp.testing.assert_allclose(f(np.ones(3)), 2)",
        "from helpers import near\nassert near(f(1), 2)",
        "def small(x):\n    return x\nsmall.__name__ = 'f'\nassert small(f(1)) == 2",
        "import os, random\nimport pandas as pd\nassert f(pd.DataFrame()) == os.path.join('a')",
        "import math\nx = [math.sqrt(2)]\nx[0] = 3\nassert f(x) == 3",
    ],
)
def test_what_cannot_patch_needs_no_watch(source: str) -> None:
    assert not may_patch([source], HELPERS)
    assert may_patch([source], STATEFUL)


@pytest.mark.parametrize(
    "helper",
    [
        b"import math\nmath.sqrt = max",
        b"def forbid():\n    import numpy as np\n    np.sum = None",
        b"def forbid():\n    from numpy import linalg\n    del linalg.norm",
    ],
)
def test_module_that_patches_is_seen(helper: bytes) -> None:
    assert may_patch(["import helpers"], {"helpers.py": helper})


@pytest.mark.parametrize(
    "path", sorted((COURSE / "source").glob("*/*.ipynb")), ids=lambda path: path.stem
)
def test_no_test_of_this_course_patches(path: Path) -> None:
    files = {
        str(one.relative_to(path.parent)): one.read_bytes() for one in path.parent.rglob("*.py")
    }
    steps = make_plan(read_master(path)).steps
    assert not may_patch([one.source for one in steps if one.source], files)
