"""`sweep verify`: checks the records of a sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.options import RESULTS, TEXT, OutputFormat, Results, SweepName


def verify(
    sweep: SweepName = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write what is damaged again, from what can be read.")
    ] = False,
    results: Results = RESULTS,
    format_: OutputFormat = TEXT,
) -> None:
    """Check whether the records of a sweep are whole.

    Reads every file, and compares them with each other. Exits with 1 if something is damaged. --repair writes
    trials.parquet again from the logs; of the newest file of a log it keeps what can be read, and says what is lost.
    Damaged files stay beside the new ones, as .trials.parquet.damaged."""
    from orchestrator.cli.views.verify import verification_data, verification_text
    from orchestrator.records.find import find
    from orchestrator.records.verify import verify

    paths = find(results, sweep)
    repaired = []
    if repair:
        from orchestrator.after.repair import repair as repair_records

        repaired = repair_records(paths, waiting=say)
    found = verify(paths)
    if format_ is TextFormat.JSON:
        document(verification_data(paths, found, repaired))
    else:
        tell(verification_text(paths, found, repaired))
    if found.problems:
        raise typer.Exit(1)
