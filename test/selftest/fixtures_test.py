# SPDX-License-Identifier: Apache-2.0
"""What no run of one part shows: the fixtures of tests inherit from each other, and an attribute that
an __init__ sets hides a method of the same name, whichever of both is older; and a module imports
names of another."""

import ast
import pathlib
import unittest

TEST = pathlib.Path(__file__).resolve().parents[1]


def is_of_self(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def imports(tree):
    """The module of each name that is imported, by the name."""
    return {alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}


class Class:
    def __init__(self, module, tree, node):
        self.name = module, node.name
        self.bases = [(imports(tree).get(base.id, module), base.id) for base in node.bases
                      if isinstance(base, ast.Name)]
        self.methods = {f.name for f in node.body if isinstance(f, ast.FunctionDef)}
        self.attributes = {n.attr for n in ast.walk(node) if is_of_self(n) and isinstance(n.ctx, ast.Store)}


def classes(texts):
    """`texts` is pairs of a module's name and its text."""
    trees = [(module, ast.parse(text)) for module, text in texts]
    return [Class(module, tree, node) for module, tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]


def chains(one, known):
    """The class with what it inherits from, one of each where modules of several folders have the same name."""
    inherited = [chain for base in known if base.name in one.bases for chain in chains(base, known)]
    return [[one, *chain] for chain in inherited or [[]]]


def hidden(known):
    return sorted({f"{chain[0].name[1]}.{attribute}" for one in known for chain in chains(one, known)
                   for a in chain for b in chain for attribute in a.attributes & b.methods})


def defined(tree):
    """The names that a module has."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return names


def unknown(texts):
    """Names imported from modules of the tests, none of which has them."""
    trees = [(module, ast.parse(text)) for module, text in texts]
    known = {}
    for module, tree in trees:
        known.setdefault(module, set()).update(defined(tree))
    return sorted(f"{module}: {node.module}.{alias.name}" for module, tree in trees for node in ast.walk(tree)
                  if isinstance(node, ast.ImportFrom) and node.module in known for alias in node.names
                  if alias.name not in known[node.module])


def programs():
    """All of test/ in Python, pairs of a module's name and its text."""
    for path in TEST.rglob("*"):
        if path.suffix == ".py":
            yield path.stem, path.read_text()
        elif not path.suffix and path.is_file() and path.read_bytes()[:22] == b"#!/usr/bin/env python3":
            yield path.name, path.read_text()


class Fixtures(unittest.TestCase):
    def test_no_attribute_hides_a_method(self):
        self.assertEqual(hidden(classes(programs())), [])

    def test_both_directions_are_seen(self):
        base = "class A:\n def __init__(self): self.x, self.z = 1, 2\n def y(self): pass\n"
        derived = "from a import A\nclass B(A):\n def x(self): pass\n def set(self): self.y = 1\n"
        self.assertEqual(hidden(classes([("a", base), ("b", derived)])), ["B.x", "B.y"])

    def test_what_is_imported_is_there(self):
        self.assertEqual(unknown(list(programs())), [])
        self.assertEqual(unknown([("a", "from b import c, d\n"), ("b", "import c\n")]), ["a: b.d"])


unittest.main()
