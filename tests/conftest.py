"""Settings of all tests: hypothesis has no deadline, since a shared machine may be slow at any moment."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

settings.register_profile("gpuport", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gpuport")


def pytest_collection_finish() -> None:
    """What collection made stays to the end: the collector of cycles need not look through it again and again."""
    gc.collect()
    gc.freeze()
