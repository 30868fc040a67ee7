"""Run by every Python process of a sweep in test_without.py: takes names of Ray away, as a later Ray may."""

import importlib
import json
import os
import sys

from cluster.ray_private import names

HIDDEN = set(json.loads(os.environ["SWEEP_TEST_HIDDEN"]))
"""Names that a lookup does not find. Ray itself still has them: it would not run without most of them."""

DELETED = json.loads(os.environ["SWEEP_TEST_DELETED"])
"""Names that are deleted indeed, in the driver and in workers, as soon as Ray is imported."""

NOT_CALLED = json.loads(os.environ["SWEEP_TEST_NOT_CALLED"])
"""Overrides of ours that are deleted, as if Ray called something else: "module:Class.method"."""

find = names.find


def find_what_is_left(name: str) -> object:
    if name in HIDDEN:
        raise names.MissingNameError(name)
    return find(name)


def delete(name: str) -> None:
    module, _, path = name.partition(":")
    parts = path.partition("()")[0].split(".")
    owner = importlib.import_module(module)
    for part in parts[:-1]:
        owner = getattr(owner, part)
    owner = owner if isinstance(owner, type) or not parts[:-1] else type(owner)  # methods are the class's
    delattr(owner, parts[-1])


names.find = find_what_is_left
command = " ".join(sys.orig_argv)
if (DELETED or NOT_CALLED) and ("default_worker.py" in command or "sweep launch" in command):
    for name in [*DELETED, *NOT_CALLED]:
        delete(name)
