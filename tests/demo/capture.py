"""A real demo as it was recorded, for tests of what is made of it."""

from pathlib import Path

CAPTURE = Path(__file__).parent.parent / "data" / "hefery-0.1.0-demo.json"
