"""Renders the report as one self-contained HTML page, and saves it.

Scripts and styles are inline, and a Content-Security-Policy allows only them, by hash: the page cannot load anything,
and code hidden in a name or an error message of the records does not run. Jinja escapes all text; the charts' data is
JSON without a ``<``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.analysis.report.axes import word
from orchestrator.analysis.report.chart_data import chart_data
from orchestrator.analysis.report.data import ReportData
from orchestrator.analysis.summary.overview import Objective, Overview
from orchestrator.analysis.summary.ranking import RankedTrial
from orchestrator.errors import OverwriteError, UserError
from orchestrator.formatting import count, duration, to_spread, yaml
from orchestrator.records.provenance import SweepInfo
from trainables.checkpoints.files import replacing

if TYPE_CHECKING:
    from jinja2 import Environment

GENERATOR = "sweep report"
"""The generator tag in the head of each page, which identifies our own files."""

FigureName = Literal["curves", "parallel", "slices"]

Part = Literal["alone", "first", "later"]
"""Whether a page stands alone, or is one of a notebook's figures, of which the first carries the code that draws."""

_FILES = files("orchestrator.analysis.report") / "files"
_SCRIPTS = (
    "sweep.js", "frame.js", "pointing.js", "controls.js", "curves.js", "parallel.js", "slices.js",
    "timeline.js", "divergence.js", "weights.js", "table.js", "wide.js", "progress.js", "copy.js",
    "trial.js", "pairs.js", "page.js",
)  # fmt: skip
_HEAD_BYTES = 1024
"""The generator tag is within this many bytes of the start of a page."""

_DIFF_LETTERS = 20_000
"""The most characters of the git diff on the page; sweep.json has more."""


def page(data: ReportData) -> str:
    """Render the whole report."""
    return _render("report.html.j2", data)


def figure(data: ReportData, name: FigureName, part: Part = "alone") -> str:
    """Render a page with one chart; a later figure of a notebook is drawn by the code in the first one."""
    return _render("figure.html.j2", data, part, figure=name)


def summary(info: SweepInfo, seen: Overview, objective: Objective, best: Sequence[RankedTrial]) -> str:
    """Summarise a sweep in a few lines of HTML, for a notebook."""
    names = dict.fromkeys(name for each in best for name in each.config)
    template = _environment().get_template("summary.html.j2")
    return template.render(info=info, overview=seen, objective=objective, best=best, names=names)


def is_report(start: bytes) -> bool:
    """Whether a file with this beginning is a report of ours."""
    return f'<meta name="generator" content="{GENERATOR}">'.encode() in start


def save(target: Path, html: str) -> None:
    """Write a page to a file, atomically, replacing only an earlier page.

    Raises:
        UserError: Another file has that name, or the file cannot be written.
    """
    try:
        if target.exists() and not _is_ours(target):
            raise OverwriteError(f"{target} exists and is not a sweep report; it was not overwritten")
        with replacing(target) as hidden:
            hidden.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {target}: {error.strerror or error}") from error


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_report(file.read(_HEAD_BYTES))


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "short": _short,
        "moment": _moment,
        "duration": duration,
        "count": count,
        "sentence": _sentence,
        "yaml": yaml,
        "to_spread": to_spread,
        "literal": lambda text: json.dumps(text, ensure_ascii=False),
        "begin": lambda text: text[:_DIFF_LETTERS],
    }
    return environment


def _render(template: str, data: ReportData, part: Part = "alone", **more: Any) -> str:
    style, lend, borrow = (_read(name) for name in ("report.css", "lend.js", "borrow.js"))
    library, script = _read("d3.min.js"), "\n".join(_read(name) for name in _SCRIPTS)
    notebook = {"alone": (), "first": (lend,), "later": (borrow,)}[part]
    return (
        _environment()
        .get_template(template)
        .render(
            data=data,
            json=_json(chart_data(data)),
            best=None if data.best is None else data.best.ranked,
            ran=sum(end - begin for begin, end in data.timeline.sessions),
            verdicts=Counter(point.verdict for point in data.points if point.verdict).most_common(),
            generator=GENERATOR,
            policy=_policy(style, library, script, *notebook),
            style=style,
            library=library,
            licence=_read("d3.LICENSE"),
            script=script,
            part=part,
            code=""
            if part == "alone"
            else f"sweep-figure-{hashlib.sha256((library + script).encode()).hexdigest()[:12]}",
            lend=lend,
            borrow=borrow,
            cut=_DIFF_LETTERS,
            **more,
        )
    )


def _policy(style: str, *scripts: str) -> str:
    """A Content-Security-Policy that allows only this style and these scripts."""
    allowed = " ".join(map(_hash, scripts))
    return f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; img-src data:; base-uri 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """JSON that is inert inside HTML."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _short(value: Any) -> str:
    """A configuration value or a metric, to four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else word(value)


def _sentence(text: str) -> str:
    """The text as a sentence: with a full stop, and capitalised unless it starts with a command."""
    return (text if text.startswith("sweep ") else text[:1].upper() + text[1:]) + "."


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def _read(name: str) -> str:
    return (_FILES / name).read_text()
