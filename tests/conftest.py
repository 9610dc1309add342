"""Settings that every test needs, before anything imports Matplotlib."""

import os

os.environ["MPLBACKEND"] = "agg"
