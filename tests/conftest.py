"""Settings of all tests: hypothesis has no deadline, since a shared machine may be slow at any moment."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("gpuport", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gpuport")
