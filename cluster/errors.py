"""What can be wrong with a cluster, in sentences for its user. Whoever uses this package translates them."""

from __future__ import annotations


class ClusterError(Exception):
    """A place for sweeps is misnamed, cannot be reached, or is not fit to work on."""
