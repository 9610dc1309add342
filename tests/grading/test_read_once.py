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


def test_processes_that_got_ready_are_those_that_are_used() -> None:
    with Court(Budget(call_s=10, cell_s=20)) as court:
        material, other = court.material(answer(), graded()), court.material(graded("1"))
        court.grader.get_ready(material)
        ready = {child.channel for child in court.warm._ahead.values()}
        assert len(ready) == 2
        court.grader.get_ready(material)
        assert ready == {child.channel for child in court.warm._ahead.values()}
        box = court.warm.box(material.files)
        with court.warm.tester(material.plan, material.files) as tester:
            assert ready == {box.channel, tester.channel}
        box.end()
        court.grader.get_ready(other)
