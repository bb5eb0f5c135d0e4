# SPDX-License-Identifier: Apache-2.0
"""The definitions of the release before, which are those of a cluster until they are upgraded."""

import contextlib

import yaml

from fixture import TOP
from api import Refused
from test_economy import optimizer, priced, worker

SKEW = TOP / "test" / "skew"
# In a status, and of this release, which says that it is a number. What a definition does not know is kept.
WRONG = {"status": {"scalesUndone": "many"}}


def former_definitions():
    _, version = (SKEW / "previous").read_text().split()
    found = yaml.safe_load_all((SKEW / version / "manifests.yaml").read_text())
    return [o for o in found if o["kind"] == "CustomResourceDefinition"]


def knows_new_fields(c):
    try:
        c.api.merge(f"/apis/kcloud.io/v1alpha1/namespaces/{c.ns}/workloadoptimizers/web/status?dryRun=All", WRONG)
        return False
    except Refused as e:
        assert "scalesUndone" in str(e), e
        return True


@contextlib.contextmanager
def with_former_definitions(c):
    c.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(former_definitions()))
    try:
        c.wait(lambda: not knows_new_fields(c))
        yield
    finally:
        c.install_definitions()
        c.wait(lambda: knows_new_fields(c))


def written(c):
    """Versions of all that a round writes."""
    return [o["metadata"]["resourceVersion"] for kind in ("pods", "mckubes", "workloadoptimizers") for o in c.get(kind)]


def test_definitions_of_the_release_before_are_enough(c):
    """Nothing is written again and again that they do not know; objects made with them stay valid."""
    priced(c, n1="0.20")
    c.create(*c.pair("brake", 400000, 500000, "High"), *c.pair("more", 900000, criticality="High"),
             *c.pair("rest", 990000), optimizer("web"), worker("w1", "web"))
    with with_former_definitions(c):
        c.mckube("apply")
        assert c.get("pod", "brake")["spec"].get("nodeName") == "n1"
        c.mckube("apply")
        before = written(c)
        c.mckube("apply")
        assert written(c) == before
        specs = [m["spec"] for m in c.get("mckubes")]
    c.mckube("apply")
    before = written(c)
    c.mckube("apply")
    assert written(c) == before and [m["spec"] for m in c.get("mckubes")] == specs
    for m in c.get("mckubes"):
        c.api.call("PUT", f"/apis/mcoperator.sdv.com/v1/namespaces/{c.ns}/mckubes/{m['metadata']['name']}"
                   "?fieldValidation=Strict&dryRun=All", m)
