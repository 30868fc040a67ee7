"""Random changes to JSON, to tables, and to files."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def deep(levels: int = 5000) -> str:
    """JSON that is nested too deeply for a recursive parser."""
    return "[" * levels + "]" * levels


VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, -5, 1, 2**31, 2**63, 2**70, -(2**63), 0.5, -0.0, 1e308, float("nan"), float("inf"),
    "", "x", "-5", "7", "min", "best", "\x1b]0;x\x07", "\ud800", "é" * 300, "/dev/zero", "../../x", "a\nb",
    [], {}, [[]], [None], {"x": {}}, [1, "a", None], {"metric": 1}, ["sobol"],
)  # fmt: skip
"""Values that programs do not expect."""


def odd(random: Random, values: Sequence[Any] = VALUES) -> Any:
    """One of the values, as a copy: what is changed further must not change the others."""
    return copy.deepcopy(random.choice(values))


def json_value(random: Random, value: Any) -> Any:
    """The value with one change somewhere."""
    changed = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(at: Any) -> None:
        for key in at if isinstance(at, dict) else range(len(at)):
            places.append((at, key))
            if isinstance(at[key], dict | list):
                walk(at[key])

    if isinstance(changed, dict | list):
        walk(changed)
    if not places or random.random() < 0.05:
        return odd(random)
    at, key = random.choice(places)
    match random.randrange(4):
        case 0:
            del at[key]
        case 1 if isinstance(at, dict):
            at[random.choice(["x", "", "schema", "\ud800", "é" * 50])] = odd(random)
        case 2:
            at[key] = random.choice(
                [[at[key]], {"value": at[key]}, str(at[key]), [copy.deepcopy(at[key]) for _ in range(3)]]
            )
        case _:
            at[key] = odd(random)
    return changed


def json_file(random: Random, path: Path) -> str:
    """Change a JSON file."""
    if random.random() < 0.1:
        path.write_text(random.choice([deep(), '{"x": ' * 3000, "", "null", "{", "[]", "NaN", '"x"', "1e999", "\0"]))
        return f"{path.name} is no object"
    value = json.loads(path.read_bytes())
    for _ in range(random.choice([1, 1, 1, 3])):
        value = json_value(random, value)
    path.write_bytes(json.dumps(value).encode("utf-8", "surrogatepass"))
    return f"{path.name} has another value"


def raw_file(random: Random, path: Path) -> str:
    """Damage a file, or put something else in its place."""
    content = path.read_bytes()
    at = random.randrange(max(1, len(content)))
    match random.randrange(9):
        case 0:
            path.unlink()
            return f"{path.name} is missing"
        case 1:
            path.write_bytes(content[:at])
            return f"{path.name} ends at byte {at}"
        case 2:
            path.write_bytes(b"")
            return f"{path.name} is empty"
        case 3:
            path.write_bytes(random.randbytes(len(content)))
            return f"{path.name} is noise"
        case 4:
            path.unlink()
            path.mkdir()
            return f"{path.name} is a directory"
        case 5:
            path.unlink()
            path.symlink_to(random.choice(["nowhere", path.name, "/dev/zero", "/dev/null", "/etc/hostname"]))
            return f"{path.name} leads to {os.readlink(path)}"
        case 6:
            path.unlink()
            os.mkfifo(path)
            return f"{path.name} is a FIFO"
        case 7:
            path.write_bytes(content[:at] + random.randbytes(8) + content[at + 8 :])
            return f"{path.name} has noise at byte {at}"
        case _:
            bit = 1 << random.randrange(8)
            path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :] if content else b"x")
            return f"{path.name} has a flipped bit at byte {at}"


def table_file(random: Random, path: Path) -> str:
    """Change a table."""
    table = pq.read_table(path)
    names = table.schema.names
    name = random.choice(names)
    row = random.randrange(max(1, table.num_rows))
    cells = table[name].to_pylist()
    number = names.index(name)
    match random.randrange(9):
        case 0:
            changed, what = table.drop_columns(name), "is missing"
        case 1:
            changed, what = table.rename_columns([each if each != name else "other" for each in names]), "is renamed"
        case 2:
            texts = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
            changed, what = table.set_column(number, name, texts), "is text"
        case 3 if cells:
            cells[row] = None
            changed = table.set_column(number, name, pa.array(cells, table.schema.field(name).type))
            what = f"is null in row {row}"
        case 4:
            nulls = pa.nulls(table.num_rows, table.schema.field(name).type)
            changed, what = table.set_column(number, name, nulls), "is null"
        case 5 if cells:
            fitting = [each for each in VALUES if _fits(each, table.schema.field(name).type)]
            if name == "detail" and cells[row] is not None:
                fitting = [json.dumps(json_value(random, json.loads(cells[row]))), deep(), "{"]
            if not fitting:
                changed, what = table.slice(0, 0), "and all others have no rows"
            else:
                cells[row] = random.choice(fitting)
                changed = table.set_column(number, name, pa.array(cells, table.schema.field(name).type))
                what = f"is {cells[row]!r} in row {row}"[:200]
        case 6:
            changed, what = pa.concat_tables([table, table.slice(row, 1)]), f"(row {row}) is there twice"
        case 7:
            order = list(range(table.num_rows))
            random.shuffle(order)
            kept = pa.array(order[: random.randrange(len(order) + 1)], pa.int64())
            changed, what = table.take(kept), "is in another order, in part"
        case _:
            changed, what = table.select([]) if random.random() < 0.3 else table.slice(row), f"begins at row {row}"
    pq.write_table(changed, path)
    return f"{path.parent.name}/{path.name}: column {name} {what}"


def _fits(value: Any, kind: pa.DataType) -> bool:
    if pa.types.is_map(kind):
        return False  # of some values Arrow makes an array only to abort
    try:
        pa.array([value], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def tree(random: Random, root: Path) -> str:
    """Lose, add or exchange files of a directory."""
    folders = [path for path in [root, *root.rglob("*")] if path.is_dir()]
    folder = random.choice(folders)
    match random.randrange(5):
        case 0 if folder != root:
            shutil.rmtree(folder)
            return f"{folder.name}/ is missing"
        case 1 if folder != root:
            shutil.rmtree(folder)
            folder.write_text("x")
            return f"{folder.name} is a file"
        case 2:
            name = random.choice(
                ["x", "000001.parquet", "000009.parquet", "7", "best.pt", "ä\udcff", "a" * 250, "x.json"]
            )
            with_content: Callable[[Path], object] = random.choice([Path.mkdir, lambda path: path.write_text("x")])
            if not (folder / name).exists():
                with_content(folder / name)
            return f"{folder.name}/{name!a} is there"
        case 3:
            files = [path for path in root.rglob("*") if path.is_file()]
            one, other = random.choice(files), random.choice(files)
            a, b = one.read_bytes(), other.read_bytes()
            one.write_bytes(b)
            other.write_bytes(a)
            return f"{one.name} and {other.name} are exchanged"
        case _ if folder != root:
            shutil.rmtree(folder)
            folder.symlink_to(random.choice([folder.name, "nowhere", "..", "."]))
            return f"{folder.name} leads to {os.readlink(folder)}"
    return "nothing"
