# SPDX-License-Identifier: Apache-2.0
"""What test/run makes of the lines of its parts."""

import os
import pathlib
import subprocess
import tempfile
import unittest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run"


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.part("10-good", "echo PASS good: one")
        self.part("20-lazy", "echo 'SKIP lazy: no kernel: none'")

    def part(self, name, script):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(f"#!/bin/sh\n#\n# what {name} does\n{script}\n")
        path.chmod(0o755)

    def run_parts(self, *args, **env):
        done = subprocess.run([RUN, *args], env={**os.environ, "PARTS": self.folder.name, **env},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout.splitlines()

    def test_sums_are_the_last_line(self):
        code, lines = self.run_parts()
        self.assertEqual((code, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_skip_passes_unless_it_is_required(self):
        self.assertEqual(self.run_parts("--require", "good")[0], 0)
        for args in (["--require", "lazy"], ["--require=good,lazy"], ["--require", "lazy", "good"]):
            code, lines = self.run_parts(*args)
            self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"), args)
            self.assertIn("FAIL lazy: may not be skipped: no kernel: none", lines)

    def test_part_that_ends_badly_without_a_line_is_a_failure(self):
        self.part("30-broken", "exit 3")
        code, lines = self.run_parts("broken")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed, 0 skipped"))

    def test_required_part_that_runs_nothing_is_a_failure(self):
        self.part("30-empty", "echo takes minutes")
        self.assertEqual(self.run_parts("empty")[0], 0)
        self.assertEqual(self.run_parts("--require", "empty", "empty")[0], 1)

    def test_part_that_ends_badly_shows_its_end(self):
        self.part("30-broken", "echo PASS a; echo TypeError: no; exit 1")
        lines = self.run_parts("good", "broken")[1]
        self.assertIn("FAIL broken: ended with code 1", lines)
        at = len(lines) - lines[::-1].index("FAIL broken: ended with code 1")
        self.assertEqual(lines[at:at + 2], ["    PASS a", "    TypeError: no"])

    def test_further_tries_are_named(self):
        self.part("30-late", "echo 'RETRY a: late'; echo '    by 3 s'; echo 'PASS a (try 2)'; echo 'FAIL b (try 3)'; "
                  "echo 'PASS c'; exit 1")
        _, lines = self.run_parts("late")
        self.assertEqual(lines[-3:-1], ["failed: b", "unstable, passed at a further try: a"])
        self.assertEqual(lines.count("    by 3 s"), 2, "it is told again at the end")
        self.assertEqual(self.run_parts("good")[1][-2].split()[0], "good")

    def test_part_beside_another_runs_meanwhile_and_prints_in_its_turn(self):
        self.part("30-waits", "until [ -e $FLAG ]; do sleep 0.1; done; echo PASS waits")
        self.part("40-between", "echo PASS between")
        self.part("50-works", "# beside waits\necho PASS works; touch $FLAG")
        self.part("60-fails", "# beside waits\necho FAIL fails; echo '    why'; exit 1")
        flag = pathlib.Path(self.folder.name) / "flag"
        code, lines = self.run_parts("waits", "between", "works", "fails", FLAG=str(flag))
        self.assertEqual((code, lines[-1]), (1, "3 passed, 1 failed, 0 skipped"))
        self.assertEqual([l for l in lines if l[:4] in ("PASS", "FAIL")],
                         ["PASS waits", "PASS between", "PASS works", "FAIL fails", "FAIL fails"])
        self.assertEqual(lines[-4:-1], ["    why", lines[-3], "failed: fails"])
        flag.unlink()
        self.assertEqual(self.run_parts("works", FLAG=str(flag))[1][-1], "1 passed, 0 failed, 0 skipped")

    def test_full_reaches_the_parts(self):
        self.part("30-long", "[ -n \"$FULL\" ] && echo PASS long || echo FULL long: what takes long")
        self.assertEqual(self.run_parts("long")[1][-2:],
                         ["only with --full: long (what takes long)", "0 passed, 0 failed, 0 skipped"])
        self.assertEqual(self.run_parts("--full", "long")[1][-1], "1 passed, 0 failed, 0 skipped")

    def test_skips_are_named_at_the_end(self):
        self.part("30-some", "echo SKIP one: no kernel; echo SKIP two: no disk")
        self.assertEqual(self.run_parts("some")[1][-2:],
                         ["skipped: one (no kernel); two (no disk)", "0 passed, 0 failed, 2 skipped"])

    def test_list_and_help(self):
        self.assertEqual(self.run_parts("--list")[1][0].split(None, 1), ["good", "what 10-good does"])
        self.assertIn("--require PART", "\n".join(self.run_parts("--help")[1]))

    def test_unknown_words_are_refused(self):
        for args in (["nothing"], ["--require", "nothing"], ["--unknown"], ["--require"]):
            self.assertEqual(self.run_parts(*args)[0], 2, args)


unittest.main()
