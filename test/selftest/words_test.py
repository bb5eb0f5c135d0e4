# SPDX-License-Identifier: Apache-2.0
"""Each rule of test/words.py finds what breaks it, and nothing else."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import words

CMAKE = {
    "lib/base/CMakeLists.txt": "mckube_library(base str.c)\n",
    "lib/model/CMakeLists.txt": "mckube_library(model\n  a.c\n  USES base # plan\n  m)\n",
    "lib/plan/CMakeLists.txt": "mckube_library(plan a.c USES model)\n",
}


class Words(unittest.TestCase):
    def check(self, rule, files, *found):
        self.assertEqual([f"{path}:{line}: {text}" for path, line, text in rule(files)], list(found))

    def test_persons(self):
        self.check(words.persons, {
            "lib/a.c": "/* the pod that waits */\nint who_waits;\n/* Nobody reads it. */\n",
            "test/golden/a/expect.out": "whose then cache the whoami hero\nfor his pod\n",
            "other/a.c": "who\n", "test/fuzz/corpus/a/1": "who\n", "test/cluster/go.sum": "+he/\n",
        }, "lib/a.c:2: who", "lib/a.c:3: Nobody", "test/golden/a/expect.out:2: his")

    def test_old_names(self):
        self.check(words.old_names, {
            "lib/a.c": "struct world *w;\nworldwide();\nis_in_vain(UNIT_HOMELESS);\n",
            "README.md": "the landings of pods\ntaken back\n",
        }, "lib/a.c:1: world", "lib/a.c:3: vain", "lib/a.c:3: HOMELESS", "README.md:1: landings",
            "README.md:2: taken back")

    def test_wire_names(self):
        line = 'x("mckube.io/rt-core"); /* mckube.io/rt-core */\n'
        self.check(words.wire_names, {
            "lib/a.c": line, "cmd/b.c": 'x("/apis/mcoperator.sdv.com/v1");\n', "lib/c.c": "/* mckube.io/x */\n",
            "lib/base/names.h": line, "test/a.c": line,
        }, "lib/a.c:1: mckube.io/rt-core", "cmd/b.c:1: mcoperator.sdv.com/v1")

    def test_citations(self):
        self.check(words.citations, {
            "lib/base/str.c": '#include "old.h"\n/* See str.h,\n * base/gone.h and kernel/sched/rt.c. */\n'
                              'f("gone.c");\n// STYLE.md\n',
            "lib/base/str.h": "/* lib/base and lib/base/str.c; test/NAME.c. */\n",
            "test/a.py": '"""As test/gone does."""\nx = "gone.md"  # test/a.py\n',
            "README.md": "lib/base/str.h, lib/none\n",
        }, "lib/base/str.c:3: base/gone.h", "lib/base/str.c:5: STYLE.md", "test/a.py:1: test/gone",
            "README.md:1: lib/none")

    def test_commands(self):
        self.check(words.commands, {
            "cmd/x/cmd_a.c": '#include "cmd_a.h"\n#include "cmd_b.h"\n#include "cli.h"\n',
            "cmd/x/cmd_c.c": "\n" * 251, "cmd/x/cli.c": "\n" * 300,
        }, "cmd/x/cmd_a.c:2: cmd_b.h", "cmd/x/cmd_c.c:251: 251 lines")

    def test_uses(self):
        self.check(words.uses, {
            **CMAKE,
            "lib/plan/a.c": '#include "base/str.h"\n#include "plan/file/b.h"\n#include "model/a.h"\n',
            "lib/model/a.c": '#include "base/str.h"\n#include "plan/plan.h"\n#include "curl/curl.h"\n',
            "lib/base/str.c": '#include "model/a.h"\n',
        }, "lib/model/a.c:2: plan/plan.h", "lib/base/str.c:1: model/a.h")

    def test_formatter(self):
        defined = {"lib/base/array.h": "#define array_each(x) for (;;)\n#define bit_each(x) for (;;)\n"}
        self.check(words.formatter, {
            **defined, ".clang-format": "ForEachMacros: [array_each, gone_each, cJSON_ArrayForEach]\n",
        }, ".clang-format:1: bit_each", ".clang-format:1: gone_each")


unittest.main()
