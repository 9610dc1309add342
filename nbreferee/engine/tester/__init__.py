"""The trusted side: a process that runs the instructor's cells and asks the box for values."""
