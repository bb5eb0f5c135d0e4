# SPDX-License-Identifier: Apache-2.0
"""What no run of one part shows: the fixtures of tests inherit from each other, and an attribute that
an __init__ sets hides a method of the same name, whichever of both is older."""

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


class Fixtures(unittest.TestCase):
    def test_no_attribute_hides_a_method(self):
        self.assertEqual(hidden(classes((path.stem, path.read_text()) for path in TEST.rglob("*.py"))), [])

    def test_both_directions_are_seen(self):
        base = "class A:\n def __init__(self): self.x, self.z = 1, 2\n def y(self): pass\n"
        derived = "from a import A\nclass B(A):\n def x(self): pass\n def set(self): self.y = 1\n"
        self.assertEqual(hidden(classes([("a", base), ("b", derived)])), ["B.x", "B.y"])


unittest.main()
