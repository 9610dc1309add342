"""The course's settings: names and limits, no logic."""

from pathlib import Path

c = get_config()

c.CourseDirectory.course_id = "gradients"

# Assignments, submissions and feedback pass through this folder. For students with other accounts,
# name one that all of them can reach, here and in their own nbgrader_config.py:
# "/srv/nbgrader/exchange", for example.
c.Exchange.root = str(Path(__file__).resolve().parent / "exchange")

# Whether collecting warns of submissions that another account than the student's has handed in: set
# it to True there. On one machine with one account, all are.
c.ExchangeCollect.check_owner = False

# A stub says which function is not written yet (see gradcheck.NotWritten), and no more.
c.ClearSolutions.code_stub = {"python": "raise NotWritten"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# nbgrader autograde, and the Formgrader's button, grade as nbreferee autograde does.
c.Autograde.sanitize_preprocessors = ["nbreferee.preprocessors.RebuildSubmission"]
c.Autograde.autograde_preprocessors = [
    "nbreferee.preprocessors.GradeSubmission",
    "nbreferee.preprocessors.SaveGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]

# nbgrader generate_feedback, and the Formgrader's button, write pages without hidden tests and
# without scripts.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    "nbreferee.preprocessors.PreparePage",
]

# Seconds for one cell, and for one call of a student's function. The slowest, training on the
# digits, takes about two.
c.NbReferee.cell_s = 60
c.NbReferee.call_s = 20

# A step that is right counts, even if an earlier answer that it uses is wrong.
c.NbReferee.follow_through = True
