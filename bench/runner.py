"""``python -m muxloop.bench.runner JOB``: a contestant's process.

A line of JSON comes in for each request, and one goes out for each answer, after a first empty one that
says that all is set up. An answer with ``failed`` is the last.
"""

from __future__ import annotations

import json
import sys

from .catalogue import BENCHMARKS


def main() -> None:
    """Answer requests until standard input ends."""
    job = json.loads(sys.argv[1])
    benchmark = BENCHMARKS[job["benchmark"]](**job["settings"])
    try:
        with benchmark.enter(job["contestant"]) as measure:
            _say({})
            for line in sys.stdin:
                _say(measure(json.loads(line)))
    except Exception as error:
        _say({"failed": f"{type(error).__name__}: {error}"})


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
