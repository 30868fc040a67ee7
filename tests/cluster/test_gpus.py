"""Counting GPUs before Ray starts: by NVML, by Ray's managers, by the kernel; none of it on a real GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from cluster.errors import ClusterError
from cluster.gpus import amd, count, nvidia
from cluster.inventory import this_machine
from cluster.ray_private import accelerators
from tests.cluster.fake_nvml import FakeCard, fake_nvml

A, B = FakeCard(uuid="GPU-aaaa0000-1111"), FakeCard(uuid="GPU-bbbb0000-2222")
SLICED = FakeCard(uuid="GPU-cccc0000-3333", slices=("MIG-1111", "MIG-2222", "MIG-3333"))
EMPTY = FakeCard(uuid="GPU-dddd0000-4444", slices=())
PLUGGED = (A, B, SLICED, EMPTY)

Plug = Callable[..., None]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Plug]:
    """Have NVML list these cards, or fail, on a machine with no other GPUs and no variable that hides any."""
    for variable in amd.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(amd, "NODES", tmp_path / "kfd")

    def have(*cards: FakeCard, fails: int | None = None) -> None:
        monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(cards, fails=fails))
        nvidia.listed.cache_clear()

    have()
    yield have
    nvidia.listed.cache_clear()


def test_no_gpus(plug: Plug) -> None:
    assert count.gpus() == count.Gpus()
    assert this_machine().gpus == 0


@pytest.mark.parametrize("error", [pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED])
def test_no_driver_is_no_failure(plug: Plug, error: int) -> None:
    plug(fails=error)
    assert count.gpus() == count.Gpus()


def test_no_package_is_no_failure(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as on macOS
    assert count.gpus() == count.Gpus()


def test_a_driver_that_fails_is_told(plug: Plug) -> None:
    plug(fails=pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH)
    assert count.gpus() == count.Gpus(failure="RM has detected an NVML/RM version mismatch.")


def test_two_gpus(plug: Plug) -> None:
    """Also where there is no /proc/driver/nvidia, as under WSL2, and with GPUs or drivers that know nothing of MIG."""
    old = FakeCard(uuid="GPU-bbbb", without_mig=pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
    plug(FakeCard(without_mig=pynvml.NVML_ERROR_NOT_SUPPORTED), old)
    assert count.gpus() == count.Gpus(number=2, accelerator="A100")
    node = this_machine()
    assert (node.gpus, node.accelerator) == (2, "A100")


def test_a_gpu_that_is_lost_does_not_count(plug: Plug) -> None:
    plug(A, FakeCard(lost=True))
    assert count.gpus().number == 1
    assert count.gpus().failure == "GPU 1: GPU is lost"


def test_each_slice_counts_and_ray_is_told_of_each(plug: Plug) -> None:
    """CUDA by itself would use the first slice only, and hide the GPUs that are whole."""
    plug(A, SLICED, EMPTY)
    found = count.gpus()
    assert (found.number, found.sliced) == (4, True)
    assert found.settings == {"CUDA_VISIBLE_DEVICES": "GPU-aaaa0000-1111,MIG-1111,MIG-2222,MIG-3333"}


@pytest.mark.parametrize(
    ("chosen", "devices"),
    [
        ("1", ["GPU-bbbb0000-2222"]),
        ("1,0", ["GPU-bbbb0000-2222", "GPU-aaaa0000-1111"]),
        (" 0 , 1 ", ["GPU-aaaa0000-1111", "GPU-bbbb0000-2222"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["GPU-aaaa0000-1111"]),  # CUDA: what follows an entry that names no device is hidden
        ("9,0", []),
        ("0,0", ["GPU-aaaa0000-1111"]),
        ("NoDevFiles", []),
        ("GPU-bbbb0000-2222", ["GPU-bbbb0000-2222"]),
        ("GPU-b", ["GPU-bbbb0000-2222"]),
        ("GPU-", []),  # of four
        ("GPU-nobody", []),
        ("MIG-2222,MIG-1111", ["MIG-2222", "MIG-1111"]),
        ("MIG-2", ["MIG-2222"]),
        ("MIG-9999", []),
        ("MIG-GPU-cccc0000-3333/1/0", ["MIG-GPU-cccc0000-3333/1/0"]),
        ("MIG-GPU-aaaa0000-1111/1/0", []),  # which has no slices
        ("2", ["MIG-1111"]),
        ("GPU-cccc0000-3333", ["MIG-1111"]),
        ("3", []),  # in MIG mode, and nobody has cut it
        ("GPU-dddd0000-4444", []),
    ],
)
def test_visible_devices_are_read_as_cuda_reads_them(plug: Plug, chosen: str, devices: list[str]) -> None:
    plug(*PLUGGED)
    assert list(nvidia.visible(nvidia.listed().cards, chosen)) == devices


def test_what_the_user_chose_is_left_as_it_is(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(*PLUGGED)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-2222,MIG-3333")
    found = count.gpus()
    assert (found.number, found.sliced, found.settings) == (2, True, {})
    assert this_machine().gpus == 2


def test_hidden_gpus_are_none(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(A, B)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # of which Ray by itself counts one
    node = this_machine()
    assert (node.gpus, node.accelerator) == (0, "")


def test_pretending_more_than_are_visible_is_refused(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    assert this_machine(gpus=3).gpus == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert this_machine(gpus=1).gpus == 1
    with pytest.raises(ClusterError, match="CUDA_VISIBLE_DEVICES='0' leaves only 1 visible"):
        this_machine(gpus=3)


def kfd(*simds: int) -> None:
    """Have the kernel list processors with so many SIMD units."""
    for number, units in enumerate(simds):
        node = amd.NODES / str(number)
        node.mkdir(parents=True)
        (node / "properties").write_text(f"cpu_cores_count 8\nsimd_count {units}\ndevice_id 29711\n")


def ray_counts(
    monkeypatch: pytest.MonkeyPatch, number: int, *, maker: str = "AMD", visible: Sequence[str] | None = None
) -> None:
    """Have Ray take another manager than NVIDIA's, which counts so many GPUs."""
    import ray._private.accelerators as theirs

    manager = SimpleNamespace(
        __name__=f"{maker}GPUAcceleratorManager",
        get_current_node_num_accelerators=lambda: number,
        get_current_node_accelerator_type=lambda: "AMD-Instinct-MI300X-OAM",
        get_current_process_visible_accelerator_ids=lambda: visible,
    )
    monkeypatch.setattr(theirs, "get_accelerator_manager_for_resource", lambda name: manager)


def test_rays_manager_counts_other_gpus(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    kfd(0, 304, 304)
    ray_counts(monkeypatch, 2)
    assert count.gpus() == count.Gpus(
        number=2, accelerator="AMD-Instinct-MI300X-OAM", by="Ray's AMDGPUAcceleratorManager"
    )
    ray_counts(monkeypatch, 2, visible=["1"])
    assert count.gpus().number == 1
    ray_counts(monkeypatch, 2, visible=["-1"])
    assert count.gpus().number == 0


def test_rays_own_amd_manager_is_asked(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, with AMD's package faked; it refuses ROCR_VISIBLE_DEVICES, and so would Ray's start."""
    import ray._private.accelerators as theirs

    kfd(0, 304, 304)
    monkeypatch.setattr(theirs, "get_accelerator_manager_for_resource", lambda name: theirs.AMDGPUAcceleratorManager)
    monkeypatch.setattr(theirs.AMDGPUAcceleratorManager, "get_current_node_num_accelerators", lambda: 2)
    assert count.gpus().number == 2
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    assert count.gpus().number == 1
    monkeypatch.delenv("HIP_VISIBLE_DEVICES")
    monkeypatch.setenv("ROCR_VISIBLE_DEVICES", "1")
    with pytest.raises(ClusterError, match="use HIP_VISIBLE_DEVICES instead of ROCR_VISIBLE_DEVICES"):
        count.gpus()


def test_without_amds_package_the_kernel_counts_for_a_torch_that_is_for_rocm(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    kfd(0, 304, 304, 304)
    (amd.NODES / "9" / "properties").mkdir(parents=True)  # cannot be read
    assert count.gpus().number == 0  # graphics of the processor, say: torch is one for CUDA or CPUs
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.13.0+rocm7.1")
    assert count.gpus().number == 3
    assert "amdsmi" in count.gpus().failure
    monkeypatch.setenv("ROCR_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    assert count.gpus().number == 1


@pytest.mark.parametrize("gone", ["module", "function", "method"])
def test_a_ray_without_those_managers_has_none(plug: Plug, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    import ray._private.accelerators as theirs

    plug(A)
    kfd(304)
    if gone == "module":
        monkeypatch.setitem(sys.modules, "ray._private.accelerators", None)
    elif gone == "function":
        monkeypatch.delattr(theirs, "get_accelerator_manager_for_resource")
    else:
        monkeypatch.setattr(theirs, "get_accelerator_manager_for_resource", lambda name: SimpleNamespace(__name__=""))
    assert accelerators.others() is None
    assert count.gpus().number == 1


def test_counting_imports_neither_ray_nor_torch() -> None:
    code = "import sys; from cluster.inventory import this_machine as m; m(); print({'ray', 'torch'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


@pytest.mark.parametrize(
    "model",
    ["NVIDIA A100-SXM4-40GB", "Tesla V100-SXM2-16GB", "NVIDIA RTX PRO 6000 Blackwell", "NVIDIA GeForce RTX 5090"],
)
def test_accelerators_are_named_as_ray_names_them(model: str) -> None:
    from ray._private.accelerators.nvidia_gpu import NvidiaGPUAcceleratorManager

    assert nvidia.accelerator_type(model) == NvidiaGPUAcceleratorManager._gpu_name_to_accelerator_type(model)


LAUNCHED = """
import json, sys
from tests.cluster.fake_nvml import FakeCard, fake_nvml

sys.modules["pynvml"] = fake_nvml([FakeCard(), FakeCard(uuid="GPU-cccc", slices=["MIG-1111", "MIG-2222"])])
from cluster.inventory import nodes, this_machine
from cluster.local.embedded import embedded

planned = this_machine(cpus=3).gpus
with embedded(cpus=3):
    import ray

    @ray.remote(num_gpus=1)
    class Trial:
        def sees(self):
            import os
            return os.environ["CUDA_VISIBLE_DEVICES"]

    trials = [Trial.remote() for _ in range(3)]
    seen = sorted(ray.get([trial.sees.remote() for trial in trials]))
    print(json.dumps([planned, nodes()[0].gpus, seen]))
"""


def test_a_launch_has_what_was_planned_and_gives_each_trial_its_slice() -> None:
    ran = subprocess.run([sys.executable, "-c", LAUNCHED], capture_output=True, text=True, check=True, timeout=120)
    planned, had, seen = json.loads(ran.stdout.splitlines()[-1])
    assert planned == had == 3
    assert seen == ["GPU-aaaa0000-1111", "MIG-1111", "MIG-2222"]
