"""Makes the helper modules of this folder (emu_build, emu_kernels) importable under pytest's importlib mode."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
