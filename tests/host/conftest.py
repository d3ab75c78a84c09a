"""Lets the host tests import their shared helpers (hostcc.py) by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
