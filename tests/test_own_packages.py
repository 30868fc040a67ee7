"""A user's project may have folders called `cluster` and `trainables`. Tried in processes of their own."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from orchestrator.own_packages import ROOT, SHARED

pytestmark = pytest.mark.long


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "cluster/__init__.py": "NAME = 'their cluster'",
        "cluster/local/embedded.py": "embedded = 'their own'",  # the name of one of our modules
        "cluster/fit.py": "raise AssertionError('ours must never import this')",
        "trainables/__init__.py": "from trainables.contract import WHO",
        "trainables/contract.py": "WHO = 'them'",
        "train.py": """
            import cluster.local.embedded
            from trainables import WHO

            def train(config, trial):
                import trainables.contract
                assert cluster.local.embedded.embedded == "their own"
                assert trainables.contract.WHO == WHO == "them"
                trial.report(step=1, loss=config["x"])
        """,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def python(project: Path, code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_theirs_and_ours_side_by_side(project: Path) -> None:
    out = python(
        project,
        """
        from pathlib import Path
        from orchestrator import Trial
        from orchestrator.spec.load_trainable import load
        train = load("train.py:train", Path.cwd())
        from orchestrator.driver.launch import launch                # ours, loaded after theirs
        from orchestrator.core.plan import make_plan
        import cluster, trainables
        trial = Trial(config={"x": 3.0})
        train(trial.config, trial)
        print(cluster.NAME, trainables.WHO, trial.history[0].metrics, Trial.__module__)
        """,
    )
    assert out.strip() == "their cluster them {'loss': 3.0} trainables.trial"


def test_theirs_imported_first(project: Path) -> None:
    out = python(
        project,
        """
        import trainables, cluster.local.embedded
        import orchestrator
        from orchestrator.spec.load_trainable import load
        from pathlib import Path
        load("linear", Path.cwd())                            # a built-in of ours
        import trainables.contract
        print(trainables.contract.WHO, cluster.local.embedded.embedded, orchestrator.Trial.__name__)
        """,
    )
    assert out.strip() == "them their own Trial"


def test_a_project_without_such_folders_sees_ours(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "from trainables.declaration import declare\n\n@declare()\ndef train(config, trial): ..."
    )
    out = python(
        tmp_path,
        """
        from pathlib import Path
        from orchestrator.spec.load_trainable import declared
        print(declared("train.py:train", Path.cwd()))
        """,
    )
    assert out.startswith("Declaration(")


def own_orchestrator(project: Path) -> None:
    files = {
        "orchestrator/__init__.py": "from . import events\nNAME = 'their orchestrator'",
        "orchestrator/events.py": "from orchestrator.core import VALUE\nWHO = 'their events'",
        "orchestrator/core/__init__.py": "VALUE = 0.25",  # the name of one of our folders
        "orchestrator/late.py": "def late():\n    from . import later\n    return later.VALUE",
        "orchestrator/later.py": "VALUE = 0.5",
        "train.py": """
            import orchestrator.core
            from orchestrator import NAME, events

            def train(config, trial):
                from orchestrator.late import late
                assert (NAME, events.WHO, late()) == ("their orchestrator", "their events", 0.5)
                assert type(trial).__module__ == "trainables.trial"
                trial.report(step=1, loss=orchestrator.core.VALUE)
        """,
        "spec.yaml": """
            trainable: train.py:train
            space: {x: {uniform: [0, 1]}}
            objective: {metric: loss}
            budget: {trials: 2}
        """,
    }
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def test_a_project_with_a_package_called_orchestrator(project: Path) -> None:
    own_orchestrator(project)
    out = python(
        project,
        f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from orchestrator import Trial
        from orchestrator.spec.load_trainable import load
        train = load("train.py:train", Path.cwd())
        from orchestrator.driver.launch import launch                # ours, loaded after theirs
        import orchestrator.core.plan
        trial = Trial(config={{"x": 3.0}})
        train(trial.config, trial)
        train(trial.config, Trial(config={{}}))
        print(trial.history[0].metrics, orchestrator.core.plan.__file__ == {str(ROOT / "orchestrator/core/plan.py")!r})
        """,
    )
    assert out.strip() == "{'loss': 0.25} True"


def test_it_is_launched_and_what_it_imports_is_part_of_its_code(project: Path) -> None:
    own_orchestrator(project)
    out = python(
        project,
        f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from orchestrator.cli.app import main
        assert main(["launch", "spec.yaml"]) in (0, None)
        """,
    )
    assert "2 completed" in out
    code = project / "results" / "spec" / "code"
    assert {path.name for path in code.rglob("*.py")} >= {"events.py", "late.py", "later.py", "train.py"}


def test_our_modules_import_the_shared_names_at_their_top_only() -> None:
    """Inside a function they would mean the user's."""
    for package in ("orchestrator", *SHARED):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                for inner in ast.walk(node):
                    names = (
                        [alias.name for alias in inner.names]
                        if isinstance(inner, ast.Import)
                        else [inner.module or ""]
                        if isinstance(inner, ast.ImportFrom)
                        else []
                    )
                    shared = [name for name in names if name.partition(".")[0] in SHARED]
                    assert not shared, f"{path}:{inner.lineno} imports {shared} inside a function"
