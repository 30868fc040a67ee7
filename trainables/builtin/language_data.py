"""From a text to tokens, once a machine, and from tokens to the windows that a language model learns from.

The parts follow each other in the text: training, then validation, then test. A window lies within one part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.data.cache import Prepared, prepared
from trainables.data.problems import DataError
from trainables.supervised.examples import has_room

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

TOKENS = ("bytes", "characters")


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A text as tokens.

    Attributes:
        numbers: uint8, or int32 if there are more than 256 different ones: [tokens], in the order of the text.
        vocabulary: Different tokens that there may be.
        validation, test: Where these parts begin; what is before is for training.
    """

    numbers: NDArray[Any]
    vocabulary: int
    validation: int
    test: int

    def part(self, name: str) -> tuple[int, int]:
        """Where "train", "validation" or "test" begins and ends."""
        bounds = {
            "train": (0, self.validation),
            "validation": (self.validation, self.test),
            "test": (self.test, len(self.numbers)),
        }
        return bounds[name]


def load(path: Path, *, tokens: str, context: int, validation: float, test: float) -> Tokens:
    """The bytes or characters of a text file.

    Args:
        path: Any file; in UTF-8 for characters.
        tokens: "bytes", of which there are 256, or "characters", as many as differ in the text.
        context: Tokens of a window: training and validation must have one each.
        validation, test: Shares of the tokens.

    Raises:
        DataError: The text is too short, or is not UTF-8.
        OSError: The file cannot be read.
    """
    make = _characters if tokens == "characters" else _bytes
    found = prepared(lambda: make(path), data=[path], options={"tokens": tokens}, code=(__file__,))
    vocabulary = found.facts["vocabulary"]
    return split(found.arrays["numbers"], vocabulary, source=path, context=context, validation=validation, test=test)


def split(
    numbers: NDArray[Any], vocabulary: int, *, source: Path, context: int, validation: float, test: float
) -> Tokens:
    """Tokens in their three parts.

    Raises:
        DataError: Training or validation is left without a window.
    """
    if validation <= 0 or test < 0 or validation + test >= 1:
        problem = f"validation={validation} and test={test} leave no text for training or validation"
        raise DataError("validation", problem, "shares above 0 with a sum below 1")
    total = len(numbers)
    tested = total - int(total * test + 0.5)
    validated = tested - int(total * validation + 0.5)
    found = Tokens(numbers=numbers, vocabulary=vocabulary, validation=validated, test=tested)
    for name in ("train", "validation"):
        start, end = found.part(name)
        if end - start <= context:
            problem = f"{source}: {end - start:,} of its {total:,} tokens are for {name}, too few for context={context}"
            largest = end - start - 1
            raise DataError("context", problem, f"at most {largest}" if largest > 0 else "a longer text")
    return found


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, its line ends as they are.

    Raises:
        DataError: It is not UTF-8, or empty.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("data", f"{path} is not UTF-8: {error.reason} at byte {error.start:,}") from None
    if not text:
        raise DataError("data", f"{path} is empty")
    return text


def _bytes(path: Path) -> Prepared:
    import numpy as np

    numbers = np.fromfile(path, dtype=np.uint8)
    if not len(numbers):
        raise DataError("data", f"{path} is empty")
    return Prepared(arrays={"numbers": numbers}, facts={"vocabulary": 256})


def _characters(path: Path) -> Prepared:
    import numpy as np

    points = np.frombuffer(read_text(path).encode("utf-32-le"), dtype=np.uint32)
    characters, numbers = np.unique(points, return_inverse=True)
    small = numbers.astype(np.uint8 if len(characters) <= 256 else np.int32)
    return Prepared(arrays={"numbers": small}, facts={"vocabulary": len(characters)})


def tokenized(
    path: Path, encode: Callable[[str], Sequence[int]], *, code: Sequence[str], files: Sequence[Path], name: str
) -> Mapping[str, Any]:
    """The arrays of a text in the tokens of a tokenizer, once a machine.

    Args:
        path: A UTF-8 file.
        encode: The tokenizer.
        code: The files of its code.
        files: The files of the tokenizer.
        name: What else distinguishes it, such as the version of its library.
    """

    def make() -> Prepared:
        import numpy as np

        return Prepared(arrays={"numbers": np.array(encode(read_text(path)), dtype=np.int32)})

    return prepared(make, data=[path, *files], options={"tokenizer": name}, code=(__file__, *code)).arrays


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows of a part of a text, one after the other, as examples: each token is to be followed by the next one.

    Attributes:
        tokens: [tokens] of the whole text.
        start, end: Of the part.
        context: Tokens of a window.
        device: Where batches go.
    """

    tokens: Tensor
    start: int
    end: int
    context: int
    device: str

    def __len__(self) -> int:
        return max(0, self.end - self.start - 1) // self.context

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens [rows, context] of these windows, and the tokens that follow them [rows, context]; int64."""
        import torch

        offsets = torch.arange(self.context + 1)
        places = self.start + rows[:, None] * self.context + offsets
        found = self.tokens[places.to(self.tokens.device)].to(self.device).long()
        return found[:, :-1], found[:, 1:]


def windows(tokens: Tokens, part: str, *, context: int, device: str) -> Windows:
    """The windows of a part: "train", "validation" or "test"."""
    import torch

    numbers = torch.from_numpy(tokens.numbers)
    if has_room(device, tokens.numbers.nbytes):
        numbers = numbers.to(device)
    start, end = tokens.part(part)
    return Windows(tokens=numbers, start=start, end=end, context=context, device=device)
