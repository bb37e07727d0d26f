"""The long campaigns of faults: `make campaign` runs them, and every run of the tests has one fault of each kind."""

from __future__ import annotations

import os

IS_CAMPAIGN = bool(os.environ.get("LANDKEEPER_CAMPAIGN"))
"""Whether tests that are marked `campaign` go through all there is."""
