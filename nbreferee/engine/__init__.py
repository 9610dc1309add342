"""The box, the tester, and what drives them: how one notebook is run and judged (see `referee`)."""
