"""Lets the tests of this folder import their helpers (`ir_build`, `ir_threads`, `ir_randoms`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
