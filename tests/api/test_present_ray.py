"""``orchestrator.run`` in a process that has called ``ray.init()`` itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.scripts import run_script

pytestmark = pytest.mark.long


def test_runs_on_the_ray_that_is_there_and_leaves_it_running(tmp_path: Path) -> None:
    done = run_script(
        """
        import ray
        ray.init(num_cpus=2, include_dashboard=False)

        @ray.remote(num_cpus=0)
        class Mine:
            def answer(self):
                return 42

        mine = Mine.remote()
        sweep = orchestrator.run(SPEC, train)
        assert list(sweep.trials["state"]) == ["completed"] * 3
        assert ray.is_initialized() and ray.get(mine.answer.remote()) == 42
        address = ray.get_runtime_context().gcs_address
        again = orchestrator.run({**SPEC, "name": "again"}, train, on=address)
        assert again.info.engine == address
        assert ray.get(mine.answer.remote()) == 42

        import os
        from orchestrator.errors import InfeasibleError, UserError
        before = sorted(os.listdir("results"))
        for options in ({"cpus": 1}, {"gpus": 0}, {"on": "127.0.0.1:1"}):
            try:
                orchestrator.run(SPEC, train, **options)
            except UserError as error:
                print(error)
            else:
                raise AssertionError(options)
        try:
            orchestrator.run({**SPEC, "resources": {"cpu": 3}}, train)
        except InfeasibleError as error:
            print(error)
        assert sorted(os.listdir("results")) == before == ["again", "train"]
        ray.shutdown()
        orchestrator.run({**SPEC, "name": "embedded"}, train, cpus=1)
        assert not ray.is_initialized()
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("is already connected to Ray at") == 3, done.stdout


def test_ray_client_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = run_script(
        """
        from types import SimpleNamespace
        import ray
        import ray.util.client
        ray.is_initialized = lambda: True
        ray.util.client.ray = SimpleNamespace(is_connected=lambda: True)
        orchestrator.run(SPEC, train)
        """,
        tmp_path,
    )
    assert done.returncode == 1
    assert "Ray Client (ray://…), which cannot drive a sweep" in done.stderr
    assert not (tmp_path / "results").exists()
