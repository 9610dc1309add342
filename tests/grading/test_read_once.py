"""What is the same for all submissions is read once by a worker."""

from __future__ import annotations

import pickle

from building import answer, graded
from refereed import Court, verdicts

from nbreferee.budget import Budget
from nbreferee.grading.notebook import as_bytes


def test_master_of_a_second_task_is_not_parsed_again() -> None:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        first = court.material(answer(), graded())
        data = as_bytes(first.master.notebook)
        second = pickle.loads(pickle.dumps(first))
        scores = [
            verdicts(court.grade_bytes(one, data))["f_tests"].score for one in (first, second)
        ]
        assert "master" not in vars(second)
        # With other tests it is another master.
        stricter = court.material(answer(), graded("assert f(1) == 2"))
        assert verdicts(court.grade_bytes(stricter, data))["f_tests"].score == 0
    assert scores == [2, 2]
