"""Writes docs/performance.md from the benchmark records; `--check` tells whether it is out of date."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.measuring import RESULTS, short, spread

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
HEAD = """\
# Performance

Written by `python -m benchmarks.page` from the records in [benchmarks/results](../benchmarks/results), of which the
newest three per question are kept. `make bench` measures everything again, and the commands below repeat single rows.
Each case of a run has its own process, and the cases take turns, so that a machine that slows down slows all of them.
Figures are medians, with the minimum and maximum in brackets. A ratio is a ratio of medians; above 1, ours is faster or
smaller. Of several runs the table shows the middle one, of two the worse, with the figures of the others beside it,
because the machine is a virtual one whose speed varies. All figures of ours include complete records. Ray Tune is
measured with its defaults, and as fast as we could make it with its settings.
"""

REMARKS = {
    "2": "a slot waits 7.7 ms between two trials when the machine is fast, 9 ms when it is slow, mostly for messages"
    " between Ray's processes. According to py-spy, a quarter of the driver's time goes to Ray's actor calls, and a"
    " tenth to records and heartbeats.",
    "4b": "most of the time is the start of Ray and of the trials' processes, 3 s when the machine is fast; the 40,000"
    " reports take one second. The two fastest runs were made after the start had been shortened by 2 s.",
    "12": "against Optuna, 5 s are the start of Ray and of the trials' processes, which two plain processes avoid."
    " Optuna's pruner also stops more trials at the same rungs: it keeps a third rounded down, we keep the interpolated"
    " quantile, like Ray and Syne Tune. Its searches trained 278 to 330 epochs, ours 368 to 468, Ray's 388. The best"
    " AUROC differed by less than 0.001.",
}
"""Why a target is missed: where the time goes."""


def main() -> None:
    """Write the page, or check it."""
    page = _page(_records())
    if "--check" in sys.argv:
        if PAGE.read_text() != page:
            raise SystemExit("docs/performance.md is out of date; run python -m benchmarks.page")
        return
    PAGE.write_text(page)


def _records() -> dict[str, list[dict[str, Any]]]:
    """The records of each question, the oldest first."""
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(RESULTS.glob("*.json")):
        record = json.loads(path.read_text())
        records[record["question"]].append(record)
    return records


def pooled_runs() -> dict[str, dict[str, list[dict[str, float]]]]:
    """The measurements of every case of every question, from all records, the oldest first."""
    return {
        name: {case: [each for run in runs for each in run["runs"].get(case, ())] for case in runs[-1]["runs"]}
        for name, runs in _records().items()
    }


def _page(records: dict[str, list[dict[str, Any]]]) -> str:
    lines = [HEAD]
    newest = {name: runs[-1] for name, runs in records.items()}
    if newest:
        some = max(newest.values(), key=lambda record: record["date"])
        machine, versions = some["machine"], some["versions"]
        processors = " or ".join(sorted({record["machine"]["processor"] for record in newest.values()}))
        shown = ", ".join(f"{name} {versions[name]}" for name in ("ray", "torch", "pyarrow", "pandas", "optuna"))
        lines.append(
            f"Machine: {machine['cpus']} cores ({processors}), {machine['memory_gib']:g} GiB, no GPU,"
            f" {machine['system']}, Python {machine['python']}; {shown}.\n"
        )
    lines += [
        "| # | what | ours | peer | ratio | other runs | target | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows = [_runs_of(result, records[name]) for name, record in newest.items() for result in record["results"]]
    for runs in sorted(rows, key=lambda runs: _order(runs[0]["row"])):
        lines.append(_row(runs))
    lines += ["", "## Missed targets", "", *(f"- {row}: {why}" for row, why in REMARKS.items())]
    lines += ["", "## Commands", ""]
    for name, record in sorted(newest.items(), key=lambda item: _order(item[1]["results"][0]["row"])):
        numbers = ", ".join(dict.fromkeys(result["row"] for result in record["results"]))
        lines.append(
            f"- {numbers}: `{record['command']}` ({record['seconds']} s). {record['title']}; {_dates(records[name])}"
        )
    return "\n".join(lines) + "\n"


def _runs_of(result: dict[str, Any], runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same comparison in all runs, the oldest first."""

    def what(each: dict[str, Any]) -> tuple[str, str, str]:
        return each["row"], each["what"], each["peer_name"]

    return [each for run in runs for each in run["results"] if what(each) == what(result)]


def _figure(result: dict[str, Any]) -> float:
    return float(result["ratio"] if result["ratio"] is not None else statistics.median(result["ours"]))


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run with the median figure; of two middle runs, the worse."""
    more_is_better = runs[0]["ratio"] is not None or runs[0]["more"]
    return sorted(runs, key=_figure, reverse=more_is_better)[len(runs) // 2]


def _row(runs: list[dict[str, Any]]) -> str:
    result = _middle(runs)
    digits = result["digits"]
    ours = f"{spread(result['ours'], digits)} {result['unit']}"
    peer = (
        f"{result['peer_name'].replace('_', ' ')}: {spread(result['peer'], digits)} {result['unit']}"
        if result["peer"]
        else ""
    )
    ratio = f"**{short(result['ratio'])}×**" if result["ratio"] is not None else ""
    unit = "×" if result["ratio"] is not None else f" {result['unit']}"
    elsewhere = ", ".join(f"{short(_figure(each))}{unit}" for each in runs if each is not result)
    sign = "≥" if result["ratio"] is not None or result["more"] else "≤"
    asked = f"{sign} {result['target']:g}{unit}"
    return (
        f"| {result['row']} | {result['what']} | {ours} | {peer} | {ratio} | {elsewhere} | {asked}"
        f" | {'yes' if result['met'] else '**no**'} |"
    )


def _dates(runs: list[dict[str, Any]]) -> str:
    return "measured " + ", ".join(run["date"][:10] for run in runs)


def _order(row: str) -> tuple[int, str]:
    digits = "".join(character for character in row if character.isdigit())
    return (int(digits) if digits else 99, row)


if __name__ == "__main__":
    main()
