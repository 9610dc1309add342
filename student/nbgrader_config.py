"""The settings of a student: `make student` opens JupyterLab here, with the exchange of this
course.
"""

from pathlib import Path

c = get_config()

c.CourseDirectory.course_id = "gradients"
c.CourseDirectory.student_id = "student"  # without this line: the name of the account
c.Exchange.root = str(Path(__file__).resolve().parent.parent / "exchange")
