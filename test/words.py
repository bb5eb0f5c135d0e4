#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the tree that a search can check: its words, its wire names, what comments cite, what may
include what.

    test/words.py [--count] [PREFIX...]

Prints a PASS or FAIL line for each rule, with the lines that break it; with PREFIX only those of files
whose path begins so. --count prints how many there are in each folder instead.
"""

import collections
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
OWN = ("test/words.py", "test/selftest/words_test.py")
AREAS = ("lib/", "cmd/", "bpf/", "plugins/", "test/", "manifests/", "completions/", ".github/",
         "README.md", "CMakeLists.txt")
# Data that tests read, and what tools have written.
NOT_OURS = re.compile(r"/corpus/|/go\.(sum|mod)$|vmlinux\.h$")
LINES_OF_A_COMMAND = 250

# Persons stand for no code, pod, process or user.
PERSONS = ["who", "whom", "whoever", "nobody", "somebody", "someone", "everybody", "everyone",
           "anybody", "anyone", "he", "his", "him", "himself", "anew"]
# What was renamed to words of the scheduler, the kernel and Kubernetes.
OLD_NAMES = [
    "worlds?", "rungs?", "ladders?", "landings?", "unlanded", "forests?", "wish(es|ed)?", "births?",
    "stubborn", "newcomers?", "homeless", "rehome[sd]?", "rehears(e|es|ed|al|als)", "vain",
    "patients?", "strangers?", "twins?", "thought away", "lies? on top", "stands? twice",
    "stands? behind the end", "so many seconds", "take[sn]?[ _]back", "foresee[ns]?", "obeys?",
    "hopes?(less)?", "hues?", "look[ _]again", "let[ _]go", "carr(y|ied|ies)[ _]out",
    "guards?",
]
WIRE_NAMES = re.compile(r"\b(mckube\.io|mckube\.sdv\.com|mcoperator\.sdv\.com)/[\w.-]*")
NAMES_FILES = ("lib/base/names.h", "lib/model/members.h")
# What comments cite by these beginnings is in other trees: the kernel, the C library, Kubernetes.
ELSEWHERE = re.compile(r"^(/|kernel/|include/|linux/|curl/|tools/|fs/|net/|mm/|sys/|pkg/|staging/|bpf/bpf_)")
CITED = re.compile(r"(?<![\w./<>*$}-])((?:lib|cmd|bpf|plugins|test|manifests|completions)/[\w./-]*\w"
                   r"|\w[\w./-]*\.(?:h|c|md))(?![\w<*{-])")
COMMENT = {
    "c": re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])+\'|(?P<c>/\*.*?\*/|//[^\n]*)', re.S),
    "py": re.compile(r'(?P<c>"""(?!\\n).*?"""|(?<![\w"\'&$])#[^\n]*)', re.S),
}


def whole_words(words):
    """Parts of identifiers count as words."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(words)})(?![A-Za-z0-9])", re.I)


def lines_with(tree, pattern, is_asked):
    for path, text in tree.items():
        if not is_asked(path):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for match in pattern.finditer(line):
                yield path, number, match[0]


def is_area(path):
    return path.startswith(AREAS) and path not in OWN and not NOT_OURS.search(path)


def persons(tree):
    return lines_with(tree, whole_words(PERSONS), is_area)


def old_names(tree):
    return lines_with(tree, whole_words(OLD_NAMES), is_area)


def wire_names(tree):
    """The strings of code have none but in two headers."""
    for path, text in tree.items():
        if path.startswith(("lib/", "cmd/")) and path.endswith((".c", ".h")) and path not in NAMES_FILES:
            code = COMMENT["c"].sub(lambda m: "\n" * m[0].count("\n") if m["c"] else m[0], text)
            yield from lines_with({path: code}, WIRE_NAMES, bool)


def kind_of(path, text):
    if path.endswith((".c", ".h")):
        return "c"
    return "py" if text.startswith("#!") or path.endswith((".py", ".txt", ".sh")) else None


def comments(path, text):
    """Each with the number of its first line; all of a text for readers."""
    if path.endswith(".md"):
        yield 1, text
    elif kind := kind_of(path, text):
        for match in COMMENT[kind].finditer(text):
            if match["c"]:
                yield text.count("\n", 0, match.start()) + 1, match["c"]


def is_in_tree(cited, path, tree, folders):
    """By its path, or by the end of it."""
    here = path.rpartition("/")[0]
    cited = cited.removeprefix("./").rstrip("/")
    return cited in tree or cited in folders or f"{here}/{cited}" in tree or f"{here}/{cited}" in folders \
        or f"{cited}.c" in tree or any(other.endswith("/" + cited) for other in tree)


def citations(tree):
    """What a comment cites is there."""
    folders = {str(parent) for path in tree for parent in pathlib.PurePosixPath(path).parents}
    for path, text in tree.items():
        if not is_area(path):
            continue
        for line, comment in comments(path, text):
            for match in CITED.finditer(comment):
                is_pattern = re.search("[A-Z]{3}", match[1]) and not match[1].endswith(".md")
                if not ELSEWHERE.match(match[1]) and not is_pattern and \
                        not is_in_tree(match[1], path, tree, folders):
                    yield path, line + comment.count("\n", 0, match.start()), match[1]


def includes(tree, start):
    for path, text in tree.items():
        if path.startswith(start) and path.endswith((".c", ".h")):
            for number, line in enumerate(text.splitlines(), 1):
                if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
                    yield path, number, match[1]


def commands(tree):
    """A command includes no other one, and is short."""
    for path, number, included in includes(tree, "cmd/"):
        name = included.rpartition("/")[2]
        if name.startswith("cmd_") and name.rpartition(".")[0] != path.rpartition("/")[2].rpartition(".")[0]:
            yield path, number, included
    for path, text in tree.items():
        n = text.count("\n")
        if re.match(r"cmd/[^/]+/cmd_\w+\.c$", path) and n > LINES_OF_A_COMMAND:
            yield path, n, f"{n} lines"


def used_libraries(tree):
    """For each library its USES line, followed to the end."""
    direct = {}
    for path, text in tree.items():
        if path.endswith("CMakeLists.txt"):
            text = re.sub(r"#[^\n]*", "", text)
            for name, words in re.findall(r"mckube_library\((\w+)\s([^)]*)\)", text):
                direct[name] = words.partition("USES")[2].split()

    def reach(name, found):
        for other in direct.get(name, []):
            if other not in found:
                found.add(other)
                reach(other, found)
        return found
    return {name: reach(name, {name}) for name in direct}


def uses(tree):
    """An include of another folder of lib needs it on the USES line, or a line that this one leads to."""
    libraries = used_libraries(tree)
    for path, number, included in includes(tree, ("lib/", "plugins/")):
        library = path.split("/")[1] if path.startswith("lib/") else "plugins"
        other = included.split("/")[0]
        if "/" in included and other in libraries and other not in libraries.get(library, ()):
            yield path, number, included


def formatter(tree):
    """The loops that .clang-format knows are macros of the tree, or cJSON's."""
    text = tree.get(".clang-format", "")
    listed = re.findall(r"\w+", (re.search(r"^ForEachMacros: \[([^]]*)\]", text, re.M) or ["", ""])[1])
    defined = {name for path, source in tree.items() if path.endswith(".h")
               for name in re.findall(r"^#define (\w+_each\w*)\(", source, re.M)} | {"cJSON_ArrayForEach"}
    for name in sorted(set(listed) ^ defined):
        yield ".clang-format", 1, name


RULES = [persons, old_names, wire_names, citations, commands, uses, formatter]


def read_tree(top):
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=top, check=True, stdout=subprocess.PIPE, text=True).stdout
    tree = {}
    for name in filter(None, names.split("\0")):
        try:
            tree[name] = (top / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            pass
    return tree


def folder_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else path


def main():
    prefixes = tuple(a for a in sys.argv[1:] if a != "--count")
    tree, n_failed = read_tree(TOP), 0
    for rule in RULES:
        found = [f for f in rule(tree) if f[0].startswith(prefixes or "")]
        name = f"words/{rule.__name__.replace('_', '-')}"
        if "--count" in sys.argv:
            counts = collections.Counter(folder_of(path) for path, _, _ in found)
            print(f"{name}: {len(found)}")
            for folder, n in counts.most_common():
                print(f"    {n:4} {folder}")
            continue
        n_failed += bool(found)
        print(f"{'FAIL' if found else 'PASS'} {name}")
        for path, number, text in found:
            print(f"    {path}:{number}: {text}")
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
