# SPDX-License-Identifier: Apache-2.0
"""When test/tries.py tries a failed test again."""

import contextlib
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tries


def attempt(problems, shares, is_strict=False):
    """The tries of a test whose n-th run has that problem, while that share of CPU time was taken."""
    runs, times = iter(problems), iter([t for s in shares for t in ((0, 0), (s * 1e4, 1e4))])
    with contextlib.redirect_stdout(io.StringIO()):
        return tries.attempt("t", lambda: next(runs), lambda: next(times), lambda: None,
                             is_strict)


class Tries(unittest.TestCase):
    def test_pass_is_final(self):
        self.assertEqual(attempt([None], [0.5]), (1, None))

    def test_failure_without_steal_is_tried_once_more(self):
        self.assertEqual(attempt(["late", None], [0, 0]), (2, None))
        self.assertEqual(attempt(["late", "wrong", None], [0, 0, 0]), (2, "wrong"))

    def test_strict_failure_up_to_the_threshold_is_final(self):
        self.assertEqual(attempt(["late", None], [0, 0], True), (1, "late"))
        self.assertEqual(attempt(["late", None], [tries.UNDISTURBED, 0], True), (1, "late"))

    def test_failure_with_steal_is_tried_again(self):
        for is_strict in (False, True):
            self.assertEqual(attempt(["late", None], [0.01, 0.01], is_strict), (2, None))

    def test_second_failure_without_steal_is_final(self):
        self.assertEqual(attempt(["late", "wrong", None], [0.01, 0, 0]), (2, "wrong"))

    def test_tries_have_an_end(self):
        self.assertEqual(attempt(["late"] * 9, [0.5] * 9), (tries.MOST, "late"))

    def test_further_tries_are_on_the_line(self):
        for outcome, line in (((1, None), "PASS t"), ((2, None), "PASS t (try 2)"),
                              ((3, "late"), "FAIL t (try 3)")):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                tries.result("t", *outcome)
            self.assertEqual(out.getvalue().splitlines()[0], line)


unittest.main()
