"""The course's settings: names and limits, no logic."""

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = "gradients"

# A stub says that it is one, and no more.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# Seconds for one cell. The slowest, training on the digits, takes about two.
c.Execute.timeout = 60
