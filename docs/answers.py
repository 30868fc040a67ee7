"""Writes the answers into docs/analysis.md: `python docs/answers.py`, a part of `make docs`.

The document runs like a notebook: ```python session blocks share their names, and the last expression of a block is
its answer. A ```sql block asks DuckDB the same question. tests/docs/ compares both answers with each other and with
the page.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parent / "analysis.md"
SESSION = re.compile(r"^```python session\n(.*?)^```$", re.M | re.S)
ANSWER = re.compile(r"^```text exact\n(.*?)^```$", re.M | re.S)
WIDTH = 120


class Notebook:
    """A Python session and a DuckDB session in the working directory."""

    def __init__(self) -> None:
        import duckdb

        self._names: dict[str, Any] = {"__name__": "notebook"}
        self._duckdb = duckdb.connect()

    def run(self, source: str) -> Any:
        """Run a block, and return the value of its last expression, or None if it ends with a statement."""
        *statements, last = ast.parse(source).body
        if not isinstance(last, ast.Expr):
            exec(compile(source, "notebook", "exec"), self._names)
            return None
        exec(compile(ast.Module(statements, []), "notebook", "exec"), self._names)
        return eval(compile(ast.Expression(last.value), "notebook", "eval"), self._names)

    def ask(self, query: str) -> Any:
        """DuckDB's answer as a data frame; None for a statement without one."""
        relation = self._duckdb.sql(query)
        return None if relation is None else relation.df()


def shown(answer: Any) -> str:
    """An answer as shown in the document."""
    named = answer.index.name is not None
    return str(answer.to_string(index=named, max_colwidth=40, line_width=WIDTH))


def main() -> None:
    notebook, text, at = Notebook(), DOCUMENT.read_text(), 0
    while (session := SESSION.search(text, at)) is not None:
        answer, at = notebook.run(session[1]), session.end()
        if answer is not None and (written := ANSWER.search(text, at)) is not None:
            text = f"{text[: written.start(1)]}{shown(answer)}\n{text[written.end(1) :]}"
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
