"""doctor --on and plan --on: what is said of the nodes of a cluster."""

from __future__ import annotations

import platform
from pathlib import Path

from cluster.existing.probe import Probe
from cluster.inventory import CPU, GPU, MEMORY, Node
from orchestrator.cli.views import doctor, nodes
from orchestrator.driver.preflight import faults, version
from orchestrator.sites.needs import needs_of
from orchestrator.spec import parse_spec

GB = 10**9
NODES = [
    Node(name="10.0.0.1", id="a", cpus=16, memory=64 * GB, free={CPU: 12.0, MEMORY: 60.0 * GB}),
    Node(
        name="10.0.0.2",
        id="b",
        cpus=32,
        gpus=4,
        memory=128 * GB,
        accelerator="A100",
        custom={"tpu_slice": 1},
        free={CPU: 4.0, GPU: 1.0, MEMORY: 8.0 * GB},
    ),
    Node(name="10.0.0.3", id="c", cpus=32, gpus=4, memory=128 * GB, free={CPU: 32.0, GPU: 4.0, MEMORY: 128.0 * GB}),
]
SAME = {name: version(name) for name in doctor.PACKAGES} | {"python": platform.python_version()}


def probe(node: Node = NODES[1], **of: object) -> Probe:
    given: dict[str, object] = {"versions": SAME, "shared": True, "disk_free": 100 * GB, "torch_gpus": 4}
    return Probe(node=node, **given | of)  # type: ignore[arg-type]


def test_a_row_a_node() -> None:
    data = {"trainable": "linear", "space": {"lr": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}}
    spec = parse_spec({**data, "resources": {"gpu": 0.5}}, base=Path())
    rows = nodes.node_rows(NODES, needs_of(spec, NODES))
    assert [row["slots"] for row in rows] == [0, 8, 8]
    assert [row["GPUs free"] for row in rows] == [None, "1 of 4", "4 of 4"]
    assert [row["tpu_slice"] for row in rows] == [None, "0 of 1", None]
    assert rows[1]["memory free"] == "8.0 GB of 128 GB"


def test_gpus_by_type() -> None:
    expected = "GPUs: 4 of 4 of unknown type free, 1 of 4 A100 free"
    assert nodes.gpus_by_type(NODES) == expected
    assert nodes.gpus_by_type(NODES[:1]) == ""


def test_a_sound_node() -> None:
    finding = nodes._finding(probe())
    assert not finding.hint
    assert finding.found == "10.0.0.2: same versions, shared results directory, torch sees 4 GPUs, 100 GB free"


def test_mismatches_stand_out_with_a_hint() -> None:
    for given, said in [
        ({"versions": SAME | {"python": "3.8.1"}}, f"python is 3.8.1, here {platform.python_version()}"),
        ({"versions": SAME | {"ray": "2.9.0"}}, f"ray is 2.9.0, here {SAME['ray']}"),
        ({"versions": SAME | {"torch": None}}, f"torch is not installed, here {SAME['torch']}"),
        ({"writable": "Read-only file system"}, "cannot be written to: Read-only file system"),
        ({"shared": False}, "the results directory is not the one seen here"),
        ({"disk_free": GB}, "1.0 GB free"),
        ({"torch_gpus": 2}, "torch sees 2 of 4 GPUs"),
        ({"skew_s": -7.2}, "its clock is 7 s behind"),
        ({"failed": "no answer within 30 s"}, "no answer within 30 s"),
    ]:
        finding = nodes._finding(probe(**given))
        assert said in finding.found
        assert finding.hint


def test_only_what_trials_need_keeps_a_sweep_from_starting() -> None:
    assert not faults(probe(versions=SAME | {"pandas": "1.0"}), ("ray",))
    assert not faults(probe(versions=SAME | {"python": f"{platform.python_version().rpartition('.')[0]}.99"}), ("ray",))
    assert faults(probe(versions=SAME | {"ray": "2.9.0"}), ("ray",))
