"""Runs all tests against the emulator by way of twilio-python; the last line says how many passed and failed."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def main() -> int:
    found = unittest.defaultTestLoader.discover(str(Path(__file__).parent), pattern="test_*.py")
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(found)
    failed = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not outcome.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
