"""A trial as its trainable sees it. Nothing here knows Ray: a test or a notebook makes one by hand."""

from __future__ import annotations

import copy
import operator
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from trainables.checkpoints import random_state
from trainables.checkpoints.saved_files import source_of
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import take
from trainables.process.device import gpu_of_rank, pick_device
from trainables.report import STEPS, Report, as_number, wrong_metric_name


class TrialEnded(BaseException):
    """Raised by ``trial.report`` when the trial must end: the scheduler stopped it, or the sweep ends.

    A BaseException, so that an ``except Exception`` around the training loop does not catch it. ``finally`` blocks run
    as usual.

    Attributes:
        complete: Whether the last report was that of a full training, so that nothing is left to train.
    """

    complete = False


class Trial:
    """A trial as its trainable sees it: what to train, where, and whom to tell.

    Attributes:
        config: The hyperparameters, with fixed values and declared defaults.
        number: The number of the trial in its sweep, from 0.
        seed: An integer in [0, 2**31), different for every trial. The sweep seeds random, numpy and torch with it
            before the trial starts.
        rank: Which of the trial's processes this is, from 0; 0 if there is one.
        world_size: The number of the trial's processes: ``resources.workers``.
        history: The reports so far, if nothing else takes them: in a test or a notebook, not in a sweep.
        suggested: What the trainable has asked for as it ran, by name: the value that it got, and the distribution as
            in a spec, ``{"loguniform": [1e-4, 1e-1]}``. An objective of Optuna names its hyperparameters only then.
    """

    def __init__(
        self,
        *,
        config: Mapping[str, Any],
        number: int = 0,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        directory: Path | None = None,
        device: str | None = None,
        sink: Callable[[Report], None] | None = None,
        train_s: Callable[[], float] | None = None,
        checkpoints: Checkpoints | None = None,
        ended: Callable[[], bool] | None = None,
        turn: Callable[[], None] | None = None,
    ) -> None:
        """Make a trial by hand, in a test or a notebook; a sweep makes its own.

        Args:
            config: The hyperparameters.
            number: The number of the trial.
            seed: Stored only; seed the random generators yourself.
            rank: Which of the trial's processes this is.
            world_size: How many there are.
            directory: The directory of the trial, made when it is needed. None: nothing is saved.
            device: The device to train on. None: the one that torch finds.
            sink: Called with each report, which then is not added to ``history``; a further report of a step has only
                what is new.
            train_s: Returns the seconds of training so far. None: the seconds since the trial was made.
            checkpoints: Where states are saved. None: in ``directory / "checkpoints"``, each as soon as it is saved.
            ended: Returns whether the trial is to end. None: it never is.
            turn: Called by rank 0 at the end of each ``rank_0_first``, and by the others at its beginning, where it
                returns once rank 0 has called it as often. None: the ranks do not wait for each other.
        """
        self.config = copy.deepcopy(dict(config))
        self.number = number
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.history: list[Report] = []
        self.suggested: dict[str, tuple[Any, Mapping[str, Any]]] = {}
        self._directory = directory
        self._device = device
        self._sink = sink or self._collect
        began = time.monotonic()
        self._train_s = train_s or (lambda: time.monotonic() - began)
        self._ended = ended
        self._turn = turn
        self._last_step: int | None = None
        self._at_last_step: dict[str, float] = {}
        if checkpoints is None and directory is not None:
            checkpoints = Checkpoints(directory / "checkpoints")
        self._checkpoints = checkpoints

    @cached_property
    def directory(self) -> Path:
        """A directory for the trial's own files, created on first use. The sweep does not delete it."""
        if self._directory is None:
            return Path(tempfile.mkdtemp(prefix="trial-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory

    @cached_property
    def device(self) -> str:
        """The device to train on: "cuda", "mps" or "cpu", whichever torch finds first; "cuda:1" and so on for ranks."""
        if self._device is not None:
            return self._device
        picked = pick_device()
        return f"cuda:{gpu_of_rank()}" if picked == "cuda" and self.world_size > 1 else picked

    @property
    def ended(self) -> bool:
        """Whether the trial is to end: the next report raises TrialEnded. A step that takes long may look."""
        return self._ended is not None and self._ended()

    @contextmanager
    def rank_0_first(self) -> Iterator[None]:
        """A block that rank 0 runs first and the other ranks run once it has: for files that they share.

        All ranks have the same such blocks, in the same order. It needs no process group. With one rank, it does
        nothing.

        Raises:
            TrialEnded: On the other ranks: rank 0 has failed or is to end.
        """
        if self.rank and self._turn is not None:
            self._turn()
        yield
        if not self.rank and self._turn is not None:
            self._turn()

    def report(self, /, *, step: int, **metrics: float) -> None:
        """Report metrics at a step. Returns if the trial goes on.

        With several ranks, the reports of rank 0 count. The others report the steps that it reports, and end where it
        ends, or report nothing.

        Args:
            step: Epochs or iterations so far, counted from the beginning of the training, also after a restore. Must be
                below 2**63, and not less than in the last report: several reports of one step count as one. Report the
                objective in the last of them, because the trial may end or pause there.
            metrics: One number each: of Python, of numpy, or an array or tensor of one element. NaN and infinity are
                allowed; as the objective they end the trial as diverged.

        Raises:
            ValueError: The step is less than the last one or too large; there are no metrics; one has a name that is
                reserved or cannot be recorded, or had another value in an earlier report of the step.
            TypeError: The step is not an integer, or a metric is not a number.
            TrialEnded: The trial must end here. Let it pass.
        """
        step = _whole(step, "report")
        if step not in STEPS:
            raise ValueError(f"report(step={step}): a step must be {'below 2**63' if step > 0 else 'at least 0'}")
        if self._last_step is not None and step < self._last_step:
            raise ValueError(f"report(step={step}): steps grow, and the last one was {self._last_step}")
        if not metrics:
            raise ValueError("report() needs at least one metric, as in report(step=1, val_loss=0.3)")
        values = {}
        for name, value in metrics.items():
            if problem := wrong_metric_name(name):
                raise ValueError(f"report({name!r}: …): {problem}")
            try:
                values[str.__str__(name)] = as_number(value)  # never an Enum, which the driver may be unable to import
            except (TypeError, ValueError, RuntimeError, AttributeError):
                raise TypeError(
                    f"report({name}={value!r}): a metric must be one number, not {type(value).__name__}"
                ) from None
        if step == self._last_step:
            values = self._in_addition(values)
        else:
            self._last_step, self._at_last_step = step, {}
        if values:
            self._at_last_step = {**self._at_last_step, **values}
            self._sink(Report(step=step, metrics=values, reported_at=time.time(), train_s=self._train_s()))

    def _in_addition(self, values: dict[str, float]) -> dict[str, float]:
        """What a further report of the last step adds to the earlier ones."""
        for name, before in self._at_last_step.items():
            if name in values and str(values[name]) != str(before):  # NaN is the same as NaN
                raise ValueError(
                    f"report(step={self._last_step}): {name} was {before:g} at this step before, and is now"
                    f" {values[name]:g}"
                )
        return {name: value for name, value in values.items() if name not in self._at_last_step}

    def _collect(self, report: Report) -> None:
        if self.history and self.history[-1].step == report.step:
            report = self.history.pop().joined(report)
        self.history.append(report)

    def save(self, *, step: int, path: str | os.PathLike[str] | None = None, **state: Any) -> None:
        """Save the state after a step, so that the trial can continue from it. Random generators are saved as well.

        The state is copied before ``save`` returns. Files are written in the background, at intervals
        (``trial.save_every`` in the spec), where the trial may pause, and when it ends. Save before you report the
        step, because ``report`` may end or pause the trial. To have the checkpoint of the best report, and to be paused
        at any rung rather than stopped, save at every step that you report. Of several ranks, rank 0 saves; what the
        others save is ignored.

        Args:
            step: The step as in ``report``.
            path: A file or directory that the program has written: a ``.ckpt``, a ``checkpoint-500/``. It is copied
                before ``save`` returns, so the program may change or remove it then. Links in a directory must not
                lead out of it.
            state: Everything that a step changes: objects with a ``state_dict()``, as in
                ``model=model, optimizer=optimizer``, or numbers, strings, tensors, and lists, tuples and dicts of them.
                Beside a path no tensors: they belong into its files.

        Raises:
            TypeError: The step is not an integer, or something cannot be saved; the error names it.
            FileNotFoundError: Nothing is at the path.
            ValueError: What is at the path cannot be copied.
        """
        step = _whole(step, "save")
        if self._checkpoints is not None:
            self._checkpoints.save(step, state, path)
            return
        take(step, state, files=path is not None)  # so that a mistake shows
        if path is not None:
            source_of(path)

    def write_saved(self) -> None:
        """Write what was saved last now, rather than when it is due, and wait for the disk: no kill loses it then."""
        if self._checkpoints is not None:
            self._checkpoints.write_now()

    @property
    def saved_path(self) -> Path | None:
        """The copy of the file or directory that this attempt has saved last; None if it has saved none. Read it before
        the next save, and write nothing there."""
        return None if self._checkpoints is None else self._checkpoints.newest_files

    def restore(self) -> dict[str, Any] | None:
        """The last saved state if the trial was interrupted; None if the trial starts from the beginning.

        Each of several ranks gets what rank 0 has saved.

        The random generators are set to their saved states as well. So call ``restore`` after the model and the data
        are made: the training then continues as if it had not been interrupted.

        Returns:
            Each saved object under its name (as its ``state_dict()``, if it has one), with tensors on the CPU, and the
            step of the save under "step". If a file or directory was saved, the :class:`~pathlib.Path` of its copy
            under "path": read it before the next save, which may remove it, and write nothing there. Or None.
        """
        restored = self._checkpoints.restore() if self._checkpoints is not None else None
        if restored is None:
            return None
        random_state.restore(restored.random)
        return restored.restored()


def _whole(step: Any, method: str) -> int:
    """A step as an int: from an integer of Python or numpy, or an array or tensor of one integer."""
    try:
        if isinstance(step, bool):
            raise TypeError
        return operator.index(step.reshape(()) if getattr(step, "ndim", 0) else step)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        raise TypeError(f"{method}(step=…) takes an integer, not {step!r}") from None
