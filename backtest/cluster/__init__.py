"""Work on many machines: a Dask cluster in place of this machine's worker processes."""

from backtest.cluster.connection import on_cluster

__all__ = ["on_cluster"]
