"""Writes docs/scale.md: measured costs, the accuracy of forecasts, and forecasts for many GPUs.

`--check` tells whether the page is out of date, and whether the costs in forecasts no longer match the measurements.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import pooled_runs
from orchestrator.formatting import duration, size
from orchestrator.simulate.costs import AUTO, MEASURED, TPE, measured_costs
from orchestrator.simulate.forecast import Forecast, Pace, forecast_sweep
from orchestrator.spec import parse_spec
from orchestrator.worker.messages import BEATS, heartbeat

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
APART = 1.5
"""A cost that differs from its measurement by more than this factor must be updated."""

GPUS = (8, 64, 500)
TRAININGS = {"10 s": 10.0, "10 min": 600.0, "5 h": 18_000.0}
TRIALS_A_GPU = 5
STEPS = 81

HEAD = """\
# Hundreds of GPUs

Written by `python -m benchmarks.scale` from the records in [benchmarks/results](../benchmarks/results) and from
forecasts. We do not have 500 GPUs: costs were measured on two cores, and whole sweeps on many machines were simulated
on a virtual clock. The simulation uses the state machine, scheduler and budgets of a real sweep, and models the driver
as a queue: it handles one message at a time, at the measured cost, beside a search that proposes. `sweep plan` does the
same for your spec:

```text
sweep plan sweep.yaml --gpus 500 --step-seconds 90
```
"""

CHARGES = """
## Measured costs

The costs are in [costs.py](../orchestrator/simulate/costs.py); `--check` compares them with the records. The driver
shared its cores with the trials' processes, so a driver on its own head node is somewhat faster.
"""

FORECASTS = """
## Accuracy of forecasts

The churn example, 60 trials with the default search in two slots, took 58 s. The forecast from its own paces is 35 to
100 s, with a median of 54 s.

Sweeps on learning curves of the LCBench surrogate (17 data sets, 200 trials in 20 slots, on the virtual clock) were
forecast from the paces of another random search. With `random`, the median forecast of the steps is 10% too high, and
the median error of the duration is 25%, because a few slow configurations dominate it. With `tpe`, how well the search
learns is unknown: forecasts of the steps were within a factor of 1.6. The configurations that `tpe` favours can be
three times faster than random ones, and then so is the sweep.
"""

SLEEPING = """
Sweeps of sleeping trials, run on two cores and compared with their forecasts; seconds are for the whole command
(`python -m benchmarks.forecasts`):
"""

TABLE = f"""
## 8, 64 and 500 GPUs

One trial per GPU, {TRIALS_A_GPU} trials for each GPU, with ASHA (rungs at 3, 9 and 27 of {STEPS} steps, every step
reported). GPUs become idle while the last trials are training and none are left to start; only more trials reduce that
share. The search is `auto`, the default, which proposes beside the driver, one configuration after the other. If the
driver is busy more than half of the time, trials wait for it; if the search is busy all the time, for proposals.
"""

LIMITS = """
## Limits
"""

AFTER = """
What to do, in this order:

1. **Proposals.** With hundreds of trials at once that take seconds, use `sobol`: a search learns little when hundreds
   of trials start before the first results. `resources.concurrency` keeps a sweep adaptive.
2. **Checkpoints on a shared disk.** They are the first bottleneck with long trials: {checkpoints} if each of 500 trials
   writes 1 GB at the default interval of 10 s. `trial.save_every: 10m` reduces that to {rarely}.
3. **The driver, with short trials.** Train longer per trial, or several configurations in one trial, or split the
   sweep: two sweeps have two drivers. Fewer rungs (`scheduler.reduction_factor`) mean fewer messages.
4. **Memory of the head node.** {memory_100k} for 100,000 trials is small; Ray's own processes on a head with hundreds
   of nodes need more, and were not measured.
5. **The head node.** Set `ulimit -n 65535` before Ray starts, and run no trials there; Ray recommends both.

Ray's published limits are 250 nodes, 10,000 actors and 1,000 placement groups at a time; 500 GPUs are 63 nodes of 8,
500 actors and 500 placement groups. Not tested: more than {slots} trials at a time, Ray over a real network, and a file
system that several hundred processes write to.
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
        print(f"orchestrator/simulate/costs.py: {name} is {charged[name]:.3g} s, measured {found[name]:.3g} s")
    if PAGE.read_text() != page:
        print("docs/scale.md is out of date; run python -m benchmarks.scale")
    elif not apart:
        return
    raise SystemExit(1)


def _charged() -> dict[str, float]:
    names = ("launch_s", "worker_s", "start_s", "turn_s", "message_s", "report_s")
    return {name: getattr(MEASURED, name) for name in names} | TPE


SOURCES = {
    "launch_s": ("from the command until trials can start", "first_report, less the start of a process"),
    "worker_s": ("starting a process, before its first trial", "first_report, its two trials"),
    "start_s": ("driver: choosing and starting a trial, and writing its rows", "long_sweep, less a message"),
    "turn_s": ("a slot between two trials, without the driver", "short_trials, less long_sweep"),
    "message_s": ("driver: receiving a message, deciding and answering", "driver"),
    "report_s": ("driver: recording a report", "memory, less long_sweep"),
    "ask_s": ("a proposal of `tpe`", "driver"),
    "ask_each_s": ("the same, per trial known to `tpe`", "driver"),
}


def _found(runs: Mapping[str, Any]) -> dict[str, float]:
    """The measured costs: medians over all records."""

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
            _table(("what", "cost in forecasts", "measured", "benchmark"), charges),
            FORECASTS,
            _checks(runs["forecasts"]) if "forecasts" in runs else "",
            TABLE,
            _table(
                (
                    "GPUs",
                    "a full training",
                    "trials",
                    "duration",
                    "GPU-hours",
                    "of these training",
                    "driver busy",
                    "search busy",
                ),
                forecasts,
            ),
            LIMITS,
            _table(("what", "limit", "needed by 500 GPUs with trials of 10 min"), _limits(kib, table)),
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
    return SLEEPING + _table(("sweep", "measured", "forecast", "error", "training share of slot time"), rows)


def _row(gpus: int, name: str, seconds: float) -> tuple[str, ...]:
    seen = _forecast(gpus, seconds)
    held = gpus * seen.seconds.middle / 3600
    return (
        str(gpus),
        name,
        f"{TRIALS_A_GPU * gpus:,}",
        duration(seen.seconds.middle),
        f"{held:,.0f}" if held >= 100 else f"{held:.2g}",
        f"{seen.busy(gpus):.0%}",
        _share(seen.driver),
        _share(seen.search),
    )


def _forecast(gpus: int, seconds: float) -> Forecast:
    spec = parse_spec(
        {
            "trainable": "m:t",
            "fixed": {"epochs": STEPS},
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "auto"},
            "scheduler": {"method": "asha", "grace_period": 3},
            "budget": {"trials": TRIALS_A_GPU * gpus},
        },
        base=Path(),
    )
    costs = measured_costs("auto", heartbeat_s=heartbeat(gpus))
    found = forecast_sweep(spec, None, slots=gpus, paces=[Pace(step_s=seconds / STEPS)], costs=costs)
    assert found is not None
    return found


def _limits(kib_a_trial: float, table: Mapping[str, float]) -> list[tuple[str, str, str]]:
    a_trial = MEASURED.start_s + MEASURED.message_s
    asked_after = 2_500
    tpe_s = TPE["ask_s"] + TPE["ask_each_s"] * asked_after
    per_s = 500 / 600
    return [
        ("the driver: trials", f"{1 / a_trial:,.0f} a second", f"{per_s:.1f} a second, more if most are stopped early"),
        ("the driver: decisions", f"{1 / MEASURED.message_s:,.0f} a second", f"at most {4 * per_s:.1f} a second"),
        ("the driver: reports", f"{1 / MEASURED.report_s:,.0f} a second", "500 a second at one a second each"),
        (
            "the driver: heartbeats",
            f"{BEATS} a second by design, {BEATS * MEASURED.message_s:.0%} of its time",
            f"{BEATS} a second: one from each trial every {heartbeat(500):.0f} s",
        ),
        (
            "the search: proposals",
            f"{1 / AUTO['ask_s']:,.0f} a second; of `tpe` {1 / tpe_s:,.0f} a second after {asked_after:,} trials",
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
            "at most 1/20 of the driver's time, by limiting how often it is written",
        ),
        ("a shared disk: checkpoints", "the disk", f"{size(500 * 1e8 / 10)} a second at 100 MB each every 10 s"),
        ("Ray: placement groups at a time", "1,000 or more, by Ray's own tests", "500"),
        ("the head: open files", "`ulimit -n`, often 1,024; Ray recommends 65,535", "a few for each of 500 workers"),
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
