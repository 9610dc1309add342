"""Test functions against a reference, and say what a wrong one has done.

A test is a table of a function, its reference, the cases, and the mistakes that are known:

    check(softmax, reference, cases=[...], mistakes={"what a tutor would say": wrong_softmax})

The modules, in the order in which a check passes through them:

    cases        arguments to call a function with
    checks       `check`: from the cases to one sentence, or to "right on 5 cases"
    forms        the forms in which arguments are given: lists, integers, small numbers ...
    trials       the function and its reference on every case
    calls        one call on a copy of a case, and what it returned
    comparison   which answers count as equal: up to sign, to the basis ...
    faults       the first thing that is wrong with an outcome
    messages     names, and arguments as a person reads them

What a wrong answer has done:

    causes       the likely cause: what is tried, in which order
    agreement    whether a known mistake does the same as the student's function
    changes      known mistakes that are negated or transposed besides; a search
    patterns     in what way all results differ from the right ones
    results      one output beside the right one: what patterns are about
    where        where an answer is wrong that is right elsewhere: k is 0, D is square ...
    entries, factors, places, shapes   the patterns, by what they are about
    wrong_entries, equal_lengths   which entries are wrong, and arguments whose lengths are equal

From `patterns` on, the modules know arrays only: nothing of functions, mistakes or notebooks. A
cause is named where it explains every case to full precision, and never as a guess.
"""

from gradcheck import random_arrays
from gradtests.cases import cases_for
from gradtests.checks import check
from gradtests.comparison import any_slope, any_svd, up_to_basis, up_to_sign

__all__ = [
    "any_slope",
    "any_svd",
    "cases_for",
    "check",
    "random_arrays",
    "up_to_basis",
    "up_to_sign",
]
