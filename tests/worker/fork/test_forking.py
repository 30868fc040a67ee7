"""Trials in processes of their own: nothing passes from one to the next, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from orchestrator.errors import TrainableError
from orchestrator.worker.fork import forking
from orchestrator.worker.fork.warm_parent import CannotFork
from orchestrator.worker.messages import AttemptEnd
from tests.worker.fork.conftest import Worker

WorkerOf = Callable[..., Worker]


def until_ended(worker: Worker) -> AttemptEnd:
    while (ended := worker.update().ended) is None:
        pass
    return ended


ONCE = {
    "start method": "import multiprocessing; multiprocessing.set_start_method('spawn')",
    "signal handler": "import signal; assert signal.signal(signal.SIGUSR1, print) is signal.SIG_DFL",
    "event loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "process group of torch": "import torch.distributed as d; d.init_process_group('gloo', rank=0, world_size=1,"
    " store=d.HashStore())",
    "interop threads": "import torch; torch.set_num_interop_threads(1)",
    "module attribute": "assert not hasattr(json, 'mine'); json.mine = 1",
    "logging": "import logging; assert not logging.root.handlers; logging.basicConfig(); logging.disable()",
    "umask": "import os; assert os.umask(0o77) == umask",
    "recursion limit": "import sys; assert sys.getrecursionlimit() == limit; sys.setrecursionlimit(3333)",
    "path": "import sys; assert 'mine' not in sys.path; sys.path.append('mine')",
    "thread": "import threading; assert threading.active_count() == 2;"
    " threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "thread that never ends": "import threading; threading.Thread(target=threading.Event().wait).start()",
    "pool": "import multiprocessing; pools.append(multiprocessing.Pool(2)); assert len(pools) == 1;"
    " assert pools[0].map(abs, [-1]) == [1]",
    "executor": "import concurrent.futures as f; pools.append(f.ProcessPoolExecutor(1)); assert len(pools) == 1;"
    " assert pools[0].submit(abs, -1).result() == 1",
    "process that is not joined": "import multiprocessing, time; multiprocessing.Process(target=time.sleep,"
    " args=(1000,)).start()",
    "configuration": "config['layers'].append(1); assert config['layers'] == [64, 1]",
    "nested function": "import functools; assert not cached.cache_info().currsize; cached(1)",
}


@pytest.mark.parametrize("what", ONCE)
def test_a_trial_may_do_what_can_be_done_once_in_a_process(what: str, worker_of: WorkerOf) -> None:
    worker = worker_of(
        f"""
        import functools, json, os, sys
        pools, limit = [], sys.getrecursionlimit()
        umask = os.umask(0)
        os.umask(umask)
        cached = functools.cache(abs)
        def train(config, trial):
            {ONCE[what]}
            trial.report(step=1, loss=config["x"])
        """,
        fixed={"layers": [64]},
    )
    for x in (1.0, 2.0, 3.0):
        metrics, ended = worker.train(x=x)
        assert ended.failure is None, ended.failure
        assert metrics == {"loss": x}


def test_a_trial_is_the_main_thread_of_a_process_group_with_the_workers_environment(
    worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OF_THE_WORKER", "3")
    monkeypatch.setenv("TO_BE_REMOVED", "3")
    worker = worker_of(
        """
        import os, threading
        os.environ["AT_IMPORT"] = "5"
        del os.environ["TO_BE_REMOVED"]
        def train(config, trial):
            assert os.environ["AT_IMPORT"] == "5"
            assert "TO_BE_REMOVED" not in os.environ
            assert threading.current_thread() is threading.main_thread()
            assert os.getcwd() == os.path.dirname(__file__)
            group = os.getpgid(0) == os.getpid()
            trial.report(step=1, loss=0, pid=os.getpid(), group=group, set=int(os.environ["OF_THE_WORKER"]))
            os.environ["OF_THE_WORKER"] = "4"
        """
    )
    first, second = worker.train()[0], worker.train()[0]
    assert first["pid"] != second["pid"]
    assert (first["group"], first["set"], second["set"]) == (1, 3, 3)


ENDS = {
    "raise ValueError('no')": ("ValueError", "no"),
    "sys.exit(3)": ("SystemExit", "sys.exit(3)"),
    "os._exit(3)": ("WorkerDied", "ended with exit status 3"),
    "os.kill(os.getpid(), signal.SIGKILL)": ("WorkerDied", "was ended by SIGKILL"),
    "os.kill(os.getpid(), signal.SIGSEGV)": ("WorkerDied", "was ended by SIGSEGV"),
    "os.abort()": ("WorkerDied", "was ended by SIGABRT"),
    "import ctypes; ctypes.string_at(0)": ("WorkerDied", "was ended by SIGSEGV"),
    "signal.alarm(1); time.sleep(9)": ("WorkerDied", "was ended by SIGALRM"),
}


@pytest.mark.parametrize("end", ENDS)
def test_however_a_trial_ends_the_next_one_trains(
    end: str, worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "NODE_S", 0.0)
    worker = worker_of(
        f"""
        import os, signal, sys, time
        def train(config, trial):
            if config["fails"]:
                print("last words", file=sys.stderr)
                {end}
            trial.report(step=1, loss=1)
        """
    )
    kind, message = ENDS[end]
    for _ in range(2):
        failure = worker.train(fails=True)[1].failure
        assert failure is not None
        assert failure.type == kind
        assert message in failure.message
        assert kind != "WorkerDied" or "last words" in failure.message
    assert worker.train(fails=False) == ({"loss": 1.0}, AttemptEnd())


LEFT = {
    "child": "subprocess.Popen(['sleep', '1000'])",
    "daemon": "subprocess.Popen(['sleep', '1000'], start_new_session=True)",
    "grandchild": "subprocess.Popen(['sh', '-c', 'setsid sleep 1000 & setsid sleep 1000 & exit'])",
}


@pytest.mark.parametrize("crash", ["pass", "os._exit(1)"])
@pytest.mark.parametrize("what", LEFT)
def test_nothing_that_a_trial_has_started_is_left(what: str, crash: str, worker_of: WorkerOf) -> None:
    worker = worker_of(
        f"""
        import os, subprocess
        def train(config, trial):
            {LEFT[what]}
            trial.report(step=1, loss=1)
            {crash}
        """
    )
    parent = worker.parent
    worker.train()

    def command_lines() -> list[list[str]]:
        with suppress(psutil.NoSuchProcess):  # it ends as one looks
            return [each.cmdline() for each in parent.children(recursive=True)]
        return []

    deadline = time.monotonic() + 60
    while command_lines() != [parent.cmdline()]:  # the one in reserve
        assert time.monotonic() < deadline, command_lines()
        time.sleep(0.05)


def test_a_trial_that_is_stopped_cleans_up_and_its_exit_functions_run(worker_of: WorkerOf, tmp_path: Path) -> None:
    worker = worker_of(
        """
        import atexit
        def train(config, trial):
            atexit.register(print, "exit function")
            try:
                for step in range(1, 100):
                    trial.report(step=step, loss=1)
            finally:
                print("finally")
        """
    )
    number = worker.begin(rungs=(3,))
    assert [report.step for report in worker.update().reports] == [1, 2, 3]
    worker.runner.end()
    assert (tmp_path / f"logs/{number}.log").read_text() == "finally\nexit function\n"


STUCK = {
    "sleep": "time.sleep(1000)",
    "ignores its end": "ignore()",
    "holds the interpreter": "re.match('(a+)+$', 'a' * 60 + 'b')",
    "deaf to signals": "signal.signal(signal.SIGTERM, signal.SIG_IGN); subprocess.run(['sleep', '1000'])",
}


@pytest.mark.parametrize("how", STUCK)
def test_a_trial_that_is_stuck_is_killed_when_it_must_end(
    how: str, worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "ENDING_S", 6.0)
    worker = worker_of(
        f"""
        import re, signal, subprocess, time
        def ignore():
            while True:
                try:
                    time.sleep(1000)
                except BaseException:
                    pass
        def train(config, trial):
            trial.report(step=1, loss=1)
            if config["stuck"]:
                {STUCK[how]}
        """
    )
    worker.begin(stuck=True)
    assert [report.step for report in worker.update().reports] in ([1], [])
    began = time.monotonic()
    worker.runner.end()
    assert time.monotonic() - began < 20
    assert worker.train(stuck=False)[1].failure is None


def test_a_report_from_a_process_of_the_trial_is_an_error_that_says_so(worker_of: WorkerOf, tmp_path: Path) -> None:
    worker = worker_of(
        """
        import multiprocessing
        def work(trial):
            trial.report(step=1, loss=1)
        def train(config, trial):
            process = multiprocessing.get_context("fork").Process(target=work, args=(trial,))
            process.start()
            process.join()
            trial.report(step=2, loss=1)
        """
    )
    failure = worker.train()[1].failure
    assert failure is not None
    assert "only the trial's own process can report" in failure.message
    assert "only the trial's own process can report" in (tmp_path / "logs/0.log").read_text()


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("threading.Thread(target=threading.Event().wait, daemon=True, name='mine').start()", "starts a thread (mine)"),
        ("sys.platform = 'darwin'", "darwin does not support it"),
    ],
)
def test_what_cannot_be_forked_is_told(start: str, why: str, worker_of: WorkerOf) -> None:
    with pytest.raises(CannotFork) as error:
        worker_of(
            f"""
            import sys, threading
            {start}
            def train(config, trial): pass
            """
        )
    assert why in str(error.value)


@pytest.mark.parametrize(
    "use", ["ray.init()", "ray.get(ray.put(1))", "from ray.train.torch import TorchTrainer as T; T(print).fit()"]
)
def test_a_trial_that_uses_ray_itself_is_told(use: str, worker_of: WorkerOf) -> None:
    worker = worker_of(
        f"""
        def train(config, trial):
            import ray
            {use}
        """
    )
    worker.begin()
    with pytest.raises(CannotFork, match="the trainable uses Ray"):
        until_ended(worker)


def test_the_parent_imports_what_trials_import(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        import sys
        def train(config, trial):
            known = "mailbox" in sys.modules, "train_helper" in sys.modules
            import mailbox, train_helper
            trial.report(step=1, loss=1, mailbox=known[0], helper=known[1])
        """
    )
    Path(worker.settings.base, "train_helper.py").write_text("")
    assert worker.train()[0] == {"loss": 1, "mailbox": 0, "helper": 0}
    assert worker.train()[0] == {"loss": 1, "mailbox": 1, "helper": 0}  # the user's own module is the trial's


def test_torch_has_the_threads_of_the_trial_whoever_imports_it(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        import importlib
        def train(config, trial):
            torch = importlib.import_module("torch")  # the first time in the trial, then in its parent
            trial.report(step=1, loss=torch.get_num_threads())
        """,
        threads=2,
    )
    assert [worker.train()[0]["loss"] for _ in range(2)] == [2, 2]


def test_a_module_that_starts_a_thread_is_left_to_the_trials(
    worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "with_thread.py").write_text(
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    monkeypatch.syspath_prepend(str(installed))
    worker = worker_of(
        """
        def train(config, trial):
            import sys
            known = "with_thread" in sys.modules
            import with_thread
            trial.report(step=1, loss=known)
        """
    )
    assert [worker.train()[0]["loss"] for _ in range(3)] == [0, 0, 0]


def test_prepare_loads_once_what_all_trials_share(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        import os
        loaded = []
        def train(config, trial):
            trial.report(step=1, loss=sum(loaded[0]), count=len(loaded), by=os.getppid())
        def prepare(fixed):
            loaded.append([0, *range(fixed["rows"])])
        train.prepare = prepare
        """,
        fixed={"rows": 5},
    )
    first, second = worker.train()[0], worker.train()[0]
    assert first == second
    assert (first["loss"], first["count"]) == (10, 1)


def test_a_prepare_that_fails_is_told(worker_of: WorkerOf) -> None:
    with pytest.raises(TrainableError, match=r"prepare\(\) failed: KeyError at train.py:4: no key 'rows'"):
        worker_of(
            """
            def train(config, trial): pass
            def prepare(fixed):
                fixed["rows"]
            train.prepare = prepare
            """
        )


def test_a_method_called_prepare_is_the_classs_own(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        class train:
            def __init__(self, config, trial):
                self.left = self.prepare(1)
            def prepare(self, steps):
                return steps
            def step(self):
                self.left -= 1
                return {"loss": 1} if self.left >= 0 else None
        """
    )
    assert worker.train() == ({"loss": 1.0}, AttemptEnd())


def test_after_the_parent_has_died_there_is_another(worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "NODE_S", 0.0)
    worker = worker_of(
        """
        import time
        def train(config, trial):
            trial.report(step=1, loss=1)
            time.sleep(config["s"])
        """
    )
    worker.begin(s=1000)
    parent = worker.parent
    (child,) = parent.children()
    parent.kill()
    ended = until_ended(worker)
    assert ended.failure is not None
    assert "SIGKILL" in ended.failure.message
    worker.runner.end()
    child.wait(10)
    assert worker.train(s=0)[1].failure is None


def test_when_the_worker_is_killed_everything_ends(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import subprocess\n"
        "def train(config, trial):\n"
        "    subprocess.Popen(['sh', '-c', 'setsid sleep 1000 & sleep 1000'])\n"
        "    trial.report(step=1, loss=1)\n"
        "    while True: pass"
    )
    script = textwrap.dedent(
        f"""
        import os, time
        from orchestrator.spec import Objective
        from orchestrator.worker.messages import WorkerSettings
        from tests.worker.fork.conftest import Worker
        os.makedirs("logs", exist_ok=True)
        worker = Worker(WorkerSettings(
            trainable="train.py:train", base={str(tmp_path)!r}, logs="logs", journals="journals", trials="trials",
            objective=Objective(metric="loss"), heartbeat_s=0.2,
        ))
        worker.begin()
        worker.update()
        while len(worker.parent.children(recursive=True)) < 5:  # one is in reserve
            time.sleep(0.1)
        print("trains", flush=True)
        time.sleep(1000)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "trains\n"
    descendants = psutil.Process(process.pid).children(recursive=True)
    assert len(descendants) == 6
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(descendants, timeout=10)
    assert not alive


def test_fifty_trials_leave_no_memory_behind(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        def train(config, trial):
            data = bytearray(10_000_000)
            trial.report(step=1, loss=len(data))
        """
    )
    parent = worker.parent
    for _ in range(5):
        worker.train()
    before = parent.memory_info().rss, psutil.Process().memory_info().rss, parent.num_fds(), psutil.Process().num_fds()
    for _ in range(50):
        worker.train()
    after = parent.memory_info().rss, psutil.Process().memory_info().rss, parent.num_fds(), psutil.Process().num_fds()
    assert after[0] - before[0] < 1e6
    assert after[1] - before[1] < 1e6
    assert after[2:] == before[2:]


def test_a_process_is_in_reserve_but_not_one_from_before_its_parent_has_learned(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        import os, sys
        def train(config, trial):
            known = "wave" in sys.modules
            import wave
            trial.report(step=1, loss=1, known=known, pid=os.getpid())
        """
    )
    parent = worker.parent
    assert worker.train()[0]["known"] == 0
    assert worker.train()[0]["known"] == 1
    (in_reserve,) = parent.children()
    assert worker.train()[0]["pid"] == in_reserve.pid
    worker.begin()
    (in_use,) = parent.children()
    in_use.kill()
    assert until_ended(worker).failure is not None
    worker.runner.end()
    for in_reserve in parent.children():
        in_reserve.kill()
        in_reserve.wait()
    assert worker.train()[0]["known"] == 1


def test_what_was_made_before_the_fork_is_not_finalized_by_a_trial(worker_of: WorkerOf) -> None:
    worker = worker_of(
        """
        import os, tempfile
        directory = tempfile.TemporaryDirectory()
        own = []
        def train(config, trial):
            own.append(tempfile.TemporaryDirectory(dir=trial.directory))
            trial.report(step=1, loss=os.path.isdir(directory.name))
        """
    )
    for number in range(3):
        assert worker.train() == ({"loss": 1.0}, AttemptEnd())
        assert not list((Path(worker.settings.trials) / str(number)).iterdir())
