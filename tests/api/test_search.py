"""A search method of the user, and earlier sweeps, in sweeps that really run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.scripts import run_script

pytestmark = pytest.mark.long

METHOD = """
from pathlib import Path

class Line:
    def __init__(self, space, seed, mode):
        self.told = []

    def ask(self, number):
        if number == 2 and not Path("repaired").exists():
            raise KeyError("two")
        Path(f"told-{number}").write_text(" ".join(f"{n}:{outcome}" for n, outcome in self.told))
        return {"x": number / 10}

    def tell(self, number, config, value, step, outcome):
        assert config == {"x": abs(number) / 10} or number < 0
        self.told.append((number, outcome))
"""


def test_a_method_of_the_user_fails_goes_on_and_learns_from_an_earlier_sweep(tmp_path: Path) -> None:
    (tmp_path / "line_search.py").write_text(METHOD)
    done = run_script(
        """
        from pathlib import Path
        from orchestrator.errors import SearchMethodError

        if __name__ == "__main__":
            own = {"method": "line_search.py:Line"}
            spec = SPEC | {"name": "own", "search": own, "resources": {"concurrency": 1}}
            try:
                orchestrator.run(spec, train)
            except SearchMethodError as error:
                print(error)
            print(orchestrator.load("results/own").trials["state"].tolist())
            Path("repaired").touch()
            sweep = orchestrator.run(spec, train, resume=True)
            print(sweep.trials["config.x"].tolist(), sweep.trials["state"].unique().tolist())
            print("before 2:", Path("told-2").read_text())

            later = spec | {"name": "later", "search": own | {"from": ["own"]}, "budget": {"trials": 1}}
            sweep = orchestrator.run(later, train)
            print("before 0:", Path("told-0").read_text())
            print([reason for reason in map(str, sweep.events["reason"]) if reason.startswith("learns")])
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    error, states, trials, told, earlier, note = done.stdout.strip().splitlines()[-6:]
    assert error == "line_search.py:Line.ask(2) raised KeyError: 'two' (line_search.py, line 10)"
    assert states == "['completed', 'completed']"
    assert trials == "[0.0, 0.1, 0.2] ['completed']"
    assert told == "before 2: 0:completed 1:completed"
    assert earlier == "before 0: -1:completed -2:completed -3:completed"
    assert note == "['learns from own: 3 of 3 trials']"
