"""Settings that every test needs, before anything imports Matplotlib."""

import os
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # nbgrader calls alembic

collect_ignore = ["class"]  # answers, not tests
