"""Hyperband: as many brackets as there are rungs, and one without; the later a bracket begins, the fewer trials it gets.

Li et al., "Hyperband" (JMLR 2018), algorithm 1, gives the proportions; here each bracket is an asynchronous one, as in
Li et al. 2020, section 3.2. It is for spaces where early results mislead: some trials are first judged late, and some
train to the end unjudged.
"""

from __future__ import annotations

from orchestrator.core.schedulers.asha import Asha, Variant, rung_steps


def hyperband(
    *, mode: str, grace_period: int, reduction_factor: int, max_step: int, variant: Variant = "auto", seed: int = 0
) -> Asha:
    """The scheduler `hyperband`; arguments as of ``Asha``."""
    return Asha(
        mode=mode,
        grace_period=grace_period,
        reduction_factor=reduction_factor,
        max_step=max_step,
        brackets=len(rung_steps(grace_period, reduction_factor, max_step)) + 1,
        variant=variant,
        seed=seed,
    )
