"""What a cluster sends of a sweep's records, damaged or made up, as `sweep pull` unpacks it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from random import Random

from orchestrator.errors import SweepError
from orchestrator.sites.remote import dump_records, fetch
from tests.fuzz import mutate
from tests.fuzz.outcome import Finding, call

NAMES = (
    "sweep.json",
    "metrics/000000.parquet",
    "../evil",
    "/tmp/evil-of-fuzz",
    "a\0b",
    "",
    ".",
    "remote.json",
    "é/" * 200,
)


class Archives:
    """Transfers with some damage, whose hash is right."""

    name = "archives"

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def attempt(self, random: Random) -> str:
        """Unpack one."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        copy = self._scratch / "copy"
        copy.mkdir(parents=True)
        (self._scratch / "evil").write_text("precious")
        what, lines = _transfer(random)

        def unpack() -> None:
            try:
                with tempfile.TemporaryFile() as packed:
                    fetch.unpack(copy, packed, fetch.read_package(lines, packed))
            except fetch.CorruptTransferError as error:  # what `pull` makes of it
                raise SweepError(str(error)) from None

        try:
            call(what, unpack)
            written = {path.name for path in self._scratch.iterdir()}
            if written != {"copy", "evil"} or (self._scratch / "evil").read_text() != "precious":
                raise Finding("something outside was written", "writes outside")
            if (copy / "remote.json").exists():
                raise Finding("where the sweep is was replaced", "remote.json")
        except Finding as error:
            raise Finding(f"{what}\n{error}", error.cause) from error
        return what


def _transfer(random: Random) -> tuple[str, list[str]]:
    """An archive and its last line, of which one is damaged; returns what it is, and the lines."""
    held, files = io.BytesIO(), {}
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in random.sample(NAMES, 3):
            content = random.randbytes(random.randrange(3000))
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.type = random.choice([tarfile.REGTYPE] * 6 + [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
            entry.linkname = "../evil"
            tar.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
            files[name] = (len(content), hashlib.sha256(content).hexdigest())
    plain = bytearray(held.getvalue())
    kind = random.choice(["names", "tar", "gzip", "cut", "about", "lines"])
    if kind == "tar":
        for _ in range(random.choice([1, 20])):
            plain[random.randrange(len(plain))] ^= 1 << random.randrange(8)
    packed = bytearray(gzip.compress(bytes(plain), mtime=0))
    if kind == "gzip":
        packed[random.randrange(len(packed))] ^= 1 << random.randrange(8)
    if kind == "cut":
        del packed[random.randrange(len(packed)) :]
    about = {"clock": 1.0, "files": files, "sent": [], "digest": hashlib.sha256(packed).hexdigest()}
    last = json.dumps(mutate.json_value(random, about) if kind == "about" else about)
    lines = [dump_records.BEGIN, base64.b64encode(packed).decode(), dump_records.END + last]
    if kind == "lines":
        lines[random.randrange(3)] = random.choice(["", "x", mutate.deep(), dump_records.END, dump_records.END + "["])
    return f"{kind}: {last[:300]}", lines
