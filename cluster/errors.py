"""Errors of this package, each a sentence for the user. The package's callers turn them into errors of their own.

ClusterError
├── UnreachableError      nothing answers at the address
└── UnsupportedRayError   the installed Ray lacks what a sweep cannot run without

Two more are declared beside the only code that raises them: RayStartError and NoScratchError, both in cluster/local/.
"""

from __future__ import annotations


class ClusterError(Exception):
    """A place for sweeps is misnamed, cannot be reached, or cannot run them."""


class UnreachableError(ClusterError):
    """Nothing answers at the address."""


class UnsupportedRayError(ClusterError):
    """The installed Ray lacks what a sweep cannot run without."""
