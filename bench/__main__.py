"""``python -m muxloop.bench NAME [--quick] [--json FILE]``: run one benchmark and print its tables.

Exit codes: 0 success; 1 a contestant failed on the way; 2 bad usage, told in one line.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..errors import MuxloopError, UsageError
from .benchmark import Benchmark
from .catalogue import BENCHMARKS
from .environment import environment, in_words, load
from .race import run
from .tables import markdown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for and return the exit code."""
    options = _parser().parse_args(arguments)
    kind = BENCHMARKS[options.name]
    try:
        benchmark = kind(**{field.name: getattr(options, field.name) for field in fields(kind)})
        if options.json is not None:
            _check_writable(options.json)
        return _report(benchmark, options.json)
    except MuxloopError as error:
        print(f"muxloop.bench: {error}", file=sys.stderr)
        return 2


def _report(benchmark: Benchmark, path: Path | None) -> int:
    about = environment()
    measured, failed = run(benchmark, lambda line: print(line, file=sys.stderr, flush=True))
    about["load_after"] = load()
    records = benchmark.summarise(measured)
    absent = [contestant for contestant in benchmark.contestants() if contestant.absent] + failed
    print(f"{benchmark.name}: {benchmark.summary}\n{in_words(about)}\n")
    for table in benchmark.tables(records):
        print(markdown(table))
    for contestant in absent:
        print(f"absent: {contestant.name}: {contestant.absent}")
    if path is not None:
        document: dict[str, Any] = {
            "schema": 1,
            "benchmark": benchmark.name,
            "settings": asdict(benchmark),
            "environment": about,
            "absent": {contestant.name: contestant.absent for contestant in absent},
            "results": records,
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _check_writable(path: Path) -> None:
    """UsageError now rather than after the run."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"--json {path}: cannot be written: {error.strerror}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m muxloop.bench", description=__doc__, allow_abbrev=False)
    names = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    for name, kind in BENCHMARKS.items():
        command = names.add_parser(name, help=kind.summary, allow_abbrev=False)
        command.add_argument("--quick", action="store_true", help="only show that it runs")
        command.add_argument("--json", metavar="FILE", type=Path, help="write all figures there as well")
        if "files" in {field.name for field in fields(kind)}:
            command.add_argument(
                "--files", metavar="N", type=int, default=0, help="files to register (default: 20,000)"
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
