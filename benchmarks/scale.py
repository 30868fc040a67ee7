"""Writes docs/scale.md: what was measured, whether forecasts come true, and forecasts for many GPUs.

`--check` tells whether the page is due, and whether what forecasts charge has moved away from what was measured.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import pooled_runs
from orchestrator.formatting import duration, size
from orchestrator.simulate.costs import MEASURED, TPE, measured_costs
from orchestrator.simulate.forecast import Forecast, Pace, forecast_sweep
from orchestrator.spec import parse_spec
from orchestrator.worker.messages import BEATS, heartbeat

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
APART = 1.5
"""A charge that differs from what was measured by more than this factor is to be set anew."""

GPUS = (8, 64, 500)
TRAININGS = {"10 s": 10.0, "10 min": 600.0, "5 h": 18_000.0}
TRIALS_A_GPU = 5
STEPS = 81

HEAD = """\
# Hundreds of GPUs

Written by `python -m benchmarks.scale` from the records in [benchmarks/results](../benchmarks/results) and from
forecasts. Nobody here has 500 GPUs: what stands here was measured on two cores, and carried over to many machines by
playing whole sweeps on a virtual clock. It is the same state machine, scheduler and budgets as in a real sweep, and the
driver is a queue: it takes one message at a time, each at the price that was measured. `sweep plan` does the same for
your spec:

```text
sweep plan sweep.yaml --gpus 500 --step-seconds 90
```
"""

CHARGES = """
## What was measured

The charges stand in [costs.py](../orchestrator/simulate/costs.py); `--check` compares them with the records.
The cores were shared with the trials' processes, so a head node of its own is rather quicker.
"""

FORECASTS = """
## Do forecasts come true?

The churn example, 60 trials under `tpe` in two slots, took 23 to 31 s in three runs; forecast by the paces of another
run of it are 18 to 38 s, 25 s in the middle.

Learning curves of the LCBench surrogate (17 data sets, 200 trials in 20 slots, on the virtual clock) were forecast by
the paces of another random search. Under `random` the forecast of the steps is a tenth too high in the median. That of
the duration is off by a quarter in the median, because a few slow configurations decide it. Under `tpe` nobody
knows how well the search learns: the forecast of the steps was right to a factor of 1.6. The configurations that it
favours may be three times quicker than random ones, and so was the sweep then.
"""

SLEEPING = """
Sweeps of sleeping trials, launched as commands on two cores, and what had been forecast of them; seconds count from the
command to its end, `python -m benchmarks.forecasts`:
"""

TABLE = f"""
## 8, 64 and 500 GPUs

One trial a GPU, {TRIALS_A_GPU} trials for each, under ASHA (rungs at 3, 9 and 27 of {STEPS} steps, each reported).
A GPU is idle when the last trials are still training and no others are left: more trials make that share smaller, and
nothing else does. The last two columns are the same sweep under `tpe`, whose proposals cost the driver more with each
trial that it knows. Where the driver is busy for more than half of the time, trials wait for it.
"""

LIMITS = """
## What gives out first
"""

AFTER = """
What to do, in this order:

1. **Proposals of `tpe`.** Beyond some thousand trials, or with trials of seconds, use `sobol`: a search learns little
   anyway if hundreds of trials are started ahead of their results. `resources.concurrency` keeps a sweep adaptive.
2. **Checkpoints on a shared disk.** They are the first to hurt with long trials: {checkpoints} if each of 500 trials
   writes 1 GB as often as by default, every 10 s. `trial.save_every: 10m` makes {rarely} of it.
3. **The driver, with short trials.** Let one trial train longer, or several configurations in one trial; or split the
   sweep: two sweeps have two drivers. Rungs further apart (`scheduler.reduction_factor`) mean fewer messages.
4. **Memory of the head node.** {memory_100k} for 100,000 trials is no concern; the Ray processes of a head with
   hundreds of nodes want more than ours, and were not measured.
5. **The head node.** Set `ulimit -n 65535` before Ray starts, and let no trials run there; both is Ray's own advice.

Ray's own published envelope is 250 nodes, 10,000 actors and 1,000 placement groups at a time; 500 GPUs are 63 nodes of
8, 500 actors and 500 placement groups. What was not tried: more than {slots} trials at a time, Ray over a real network,
a file system that several hundred processes write to.
"""


def main() -> None:
    """Write the page, or check it."""
    runs = pooled_runs()
    found = _found(runs)
    page = _page(runs, found)
    if "--check" not in sys.argv:
        PAGE.write_text(page)
        return
    charged = _charged()
    apart = [name for name, value in found.items() if not 1 / APART <= charged[name] / value <= APART]
    for name in apart:
        print(f"orchestrator/simulate/costs.py: {name} is {charged[name]:.3g} s, the records say {found[name]:.3g} s")
    if PAGE.read_text() != page:
        print("docs/scale.md is not what the records and the forecasts say: python -m benchmarks.scale writes it")
    elif not apart:
        return
    raise SystemExit(1)


def _charged() -> dict[str, float]:
    names = ("launch_s", "worker_s", "start_s", "turn_s", "message_s", "report_s")
    return {name: getattr(MEASURED, name) for name in names} | TPE


SOURCES = {
    "launch_s": ("from the command until trials can be started", "first_report, less the start of a process"),
    "worker_s": ("a process starts, before its first trial", "first_report, of its two trials"),
    "start_s": ("the driver chooses and starts a trial, and writes its rows", "long_sweep, less a message"),
    "turn_s": ("a slot between two trials, beside the driver", "short_trials, less long_sweep"),
    "message_s": ("the driver takes a message, decides and answers", "driver"),
    "report_s": ("the driver makes a row of a report", "memory, less long_sweep"),
    "ask_s": ("a proposal of `tpe`", "driver"),
    "ask_each_s": ("and for each trial it knows", "driver"),
}


def _found(runs: Mapping[str, Any]) -> dict[str, float]:
    """The same charges, from the records: medians over all of them."""

    def ms(question: str, case: str, figure: str = "ms") -> float:
        return statistics.median(run[figure] for run in runs[question][case])

    trial_ms = ms("long_sweep", "ours")
    worker_ms = ms("first_report", "ours", "process_s") * 1e3
    message_ms = ms("driver", "messages")
    in_ms = {
        "launch_s": ms("first_report", "ours", "s") * 1e3 - worker_ms,
        "worker_s": worker_ms,
        "start_s": trial_ms - message_ms,
        "turn_s": ms("short_trials", "ours", "between_ms") - trial_ms,
        "message_s": message_ms,
        "report_s": (ms("memory", "ours") - trial_ms) / 49,
        "ask_s": ms("driver", "asks", "ms_none"),
        "ask_each_s": ms("driver", "asks", "ms_each"),
    }
    return {name: value / 1e3 for name, value in in_ms.items()}


def _page(runs: Mapping[str, Any], found: Mapping[str, float]) -> str:
    charged = _charged()
    charges = [(what, _short(charged[name]), _short(found[name]), source) for name, (what, source) in SOURCES.items()]
    forecasts = [_row(gpus, name, seconds) for gpus in GPUS for name, seconds in TRAININGS.items()]
    kib = statistics.median(run["kib_a_trial"] for run in runs["long_sweep"]["ours"])
    table = min(runs["driver"]["table"], key=lambda run: run["s"])
    return "".join(
        [
            HEAD,
            CHARGES,
            _table(("what", "charged", "measured", "by"), charges),
            FORECASTS,
            _checks(runs["forecasts"]) if "forecasts" in runs else "",
            TABLE,
            _table(
                (
                    "GPUs",
                    "a full training",
                    "trials",
                    "duration",
                    "GPU-hours held",
                    "of them training",
                    "driver busy",
                    "`tpe`: training",
                    "`tpe`: driver busy",
                ),
                forecasts,
            ),
            LIMITS,
            _table(("what", "how much it bears", "500 GPUs with trials of 10 min ask for"), _limits(kib, table)),
            AFTER.format(
                checkpoints=f"{size(500 * 1e9 / 10)} a second",
                rarely=f"{size(500 * 1e9 / 600)} a second",
                memory_100k=size(kib * 1024 * 1e5),
                slots=12,
            ),
        ]
    )


def _checks(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    rows = [
        (
            name,
            f"{run['real_s']:.1f} s",
            f"{run['forecast_s']:.1f} s"
            + (f" ({run['low_s']:.1f}–{run['high_s']:.1f})" if run["low_s"] != run["high_s"] else ""),
            f"{run['off_percent']:.0f}%",
            f"{run['real_busy']:.0%}, forecast {run['forecast_busy']:.0%}",
        )
        for name, (*_, run) in runs.items()
    ]
    return SLEEPING + _table(("sweep", "it took", "forecast", "off by", "training, of the slots' time"), rows)


def _row(gpus: int, name: str, seconds: float) -> tuple[str, ...]:
    sobol, tpe = (_forecast(gpus, seconds, method) for method in ("sobol", "tpe"))
    held = gpus * sobol.seconds.middle / 3600
    return (
        str(gpus),
        name,
        f"{TRIALS_A_GPU * gpus:,}",
        duration(sobol.seconds.middle),
        f"{held:,.0f}" if held >= 100 else f"{held:.2g}",
        f"{sobol.busy(gpus):.0%}",
        _share(sobol.driver),
        f"{tpe.busy(gpus):.0%}",
        _share(tpe.driver),
    )


def _forecast(gpus: int, seconds: float, method: str) -> Forecast:
    spec = parse_spec(
        {
            "trainable": "m:t",
            "fixed": {"epochs": STEPS},
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "scheduler": {"method": "asha", "grace_period": 3},
            "budget": {"trials": TRIALS_A_GPU * gpus},
        },
        base=Path(),
    )
    costs = measured_costs(method, heartbeat_s=heartbeat(gpus))
    found = forecast_sweep(spec, None, slots=gpus, paces=[Pace(step_s=seconds / STEPS)], costs=costs)
    assert found is not None
    return found


def _limits(kib_a_trial: float, table: Mapping[str, float]) -> list[tuple[str, str, str]]:
    a_trial = MEASURED.start_s + MEASURED.message_s
    asked_after = 2_500
    ask_s = TPE["ask_s"] + TPE["ask_each_s"] * asked_after
    per_s = 500 / 600
    return [
        ("the driver: trials", f"{1 / a_trial:,.0f} a second", f"{per_s:.1f} a second, more if most are stopped early"),
        ("the driver: decisions", f"{1 / MEASURED.message_s:,.0f} a second", f"at most {4 * per_s:.1f} a second"),
        ("the driver: reports", f"{1 / MEASURED.report_s:,.0f} a second", "500 a second at one a second each"),
        (
            "the driver: signs of life",
            f"{BEATS} a second by design, {BEATS * MEASURED.message_s:.0%} of its time",
            f"{BEATS} a second: each trial every {heartbeat(500):.0f} s",
        ),
        (
            f"the driver: proposals of `tpe` after {asked_after:,} trials",
            f"{1 / (ask_s + a_trial):,.0f} a second",
            f"{per_s:.1f} a second",
        ),
        (
            "the driver: memory",
            f"{kib_a_trial:.1f} KiB a trial",
            f"{size(kib_a_trial * 1024 * 1e5)} for 100,000 trials",
        ),
        (
            "records: `trials.parquet` of 100,000 rows",
            f"{table['mb']:.0f} MB, {table['s']:.1f} s to write",
            "written at most every 20 times as long, so in a twentieth of the driver's time",
        ),
        ("a shared disk: checkpoints", "the disk's", f"{size(500 * 1e8 / 10)} a second at 100 MB each every 10 s"),
        ("Ray: placement groups at a time", "1,000 and more, by Ray's own tests", "500"),
        ("the head: open files", "`ulimit -n`, often 1,024; Ray's guide wants 65,535", "some for each of 500 workers"),
    ]


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def _short(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2g} s"
    return f"{seconds * 1e3:.2g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.2g} µs"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
