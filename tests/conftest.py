"""Settings that every test needs, before anything imports Matplotlib."""

import os
import sys
from pathlib import Path

from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)  # nbgrader calls alembic

collect_ignore = ["class"]  # answers, not tests

settings.register_profile(
    "no deadline", parent=settings(), deadline=None
)  # a busy machine is no fault
settings.load_profile("no deadline")
