"""Systematic mutation: does a rule notice when one thing in the loop goes wrong?

Each mutant of a module is judged by the rules that are about that module, in the quick profile, until one
catches it. Whoever is left is named: it does the same as the original, or the rules have a hole.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fault_hunts import hunt  # noqa: E402 - found through the line above
from mutant_loops import VARIABLE  # noqa: E402
from mutations import mutations_of  # noqa: E402
from muxloop.conformance.declarations import reason_for  # noqa: E402
from muxloop.conformance.rules import Rule, chosen_rules  # noqa: E402
from muxloop.conformance.subjects import parse  # noqa: E402
from muxloop.conformance.suite import Bench  # noqa: E402

ABOUT = {
    "muxloop.loop.core": "ORD-* LIF-* TMR-* THR-* EXC-* HEAP-* SIG-0[13] IO-0[1-8] RES-*",
    "muxloop.loop.timers": "TMR-* HEAP-* CAN-01 CAN-02 ORD-0[5689]",
    "muxloop.loop.far_timers": "TMR-* HEAP-* CAN-01 CAN-02",
    "muxloop.loop.handles": "CAN-01 CAN-02 ORD-* EXC-* HEAP-* TMR-06 RES-*",
    "muxloop.loop.readiness": "IO-* CAN-12 CAN-14 LIF-0[34] ORD-07 TRN-01 SRV-01 RES-*",
    "muxloop.loop.wakeup": "THR-* SIG-* LIF-05 LIF-08 RES-*",
    "muxloop.loop.signals": "SIG-* LIF-04",
    "muxloop.loop.waiters": "CAN-12 CAN-13 CAN-14 CAN-16 TRN-11 ORD-11",
    "muxloop.loop.tasks": "LIF-06 LIF-07 CAN-0[4-6] EXC-05 LIF-* ORD-10",
    "muxloop.loop.failures": "EXC-*",
    "muxloop.loop.executors": "EXE-* CAN-15 LIF-04 LIF-10 DNS-* EXC-06 RES-*",
    "muxloop.loop.asyncgens": "LIF-09 EXC-06",
    "muxloop.loop.sockets": "CAN-1[2-4] IO-10 TRN-11 RES-*",
    "muxloop.loop.connections": "CAN-13 TRN-* DNS-*",
    "muxloop.loop.flow_control": "TRN-04 PIP-* DGM-*",
    "muxloop.loop.base_transport": "TRN-* TLS-* DGM-* PIP-* RES-*",
    "muxloop.loop.file_transport": "DGM-* PIP-* TRN-* RES-*",
    "muxloop.loop.streaming": "TRN-*",
    "muxloop.loop.transports": "TRN-* SRV-01 IO-08 RES-*",
    "muxloop.loop.servers": "SRV-* TRN-10 RES-*",
    "muxloop.loop.datagrams": "DGM-*",
    "muxloop.loop.datagram_transport": "DGM-* RES-*",
    "muxloop.loop.unix_sockets": "SRV-04 SRV-07 TRN-1[0145] SRV-*",
    "muxloop.loop.tls": "TLS-*",
    "muxloop.loop.tls_engine": "TLS-*",
    "muxloop.loop.tls_writing": "TLS-*",
    "muxloop.loop.tls_options": "TLS-* TRN-15 SRV-06",
    "muxloop.loop.tls_files": "TLS-* TRN-12",
    "muxloop.loop.files": "TRN-12",
    "muxloop.loop.pipes": "PIP-*",
    "muxloop.loop.pipe_transports": "PIP-* RES-*",
    "muxloop.loop.processes": "SUB-* RES-*",
    "muxloop.loop.children": "SUB-* RES-*",
    "asyncio.base_events": "ORD-* LIF-* TMR-* THR-* EXC-* HEAP-* CAN-* EXE-* DNS-* SRV-*",
    "asyncio.selector_events": "IO-* THR-* CAN-1[2-4] TRN-* SRV-* DGM-* LIF-0[45]",
    "asyncio.unix_events": "SIG-* PIP-* SUB-* SRV-04 LIF-0[48]",
}
"""The modules that can be mutated, and the rules that are about them, the likeliest first."""


def named(module: str, number: int) -> str:
    """The mutant in words, with its place."""
    mutation = mutations_of(_tree(module))[number]
    return f"{module}#{number} line {mutation.line} {mutation.what}"


def killer(module: str, number: int) -> str:
    """The first rule that catches the mutant; empty when none does."""
    os.environ[VARIABLE] = f"{module}#{number}"  # the processes that play inherit it
    subject = parse("mutant_loops:" + ("asyncio_loop" if module.startswith("asyncio.") else "muxloop"))
    rules = _rules_about(module)
    with Bench(subject, rules, hunt("quick"), 1, 1.0) as bench:
        for rule in rules:
            verdict = bench.judge(rule)
            if verdict.bad:
                return f"{rule.id} {verdict.outcome}"
    return ""


def _rules_about(module: str) -> list[Rule]:
    """The rules to judge a mutant by: of CPython's loop, without those that it breaks as it stands."""
    rules = dict.fromkeys(rule for glob in ABOUT[module].split() for rule in chosen_rules([glob]))
    broken = {rule for rule in rules if module.startswith("asyncio.") and reason_for("asyncio", rule.id)}
    return [rule for rule in rules if rule not in broken]


def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> int:
    """Judge, print what goes on, list the survivors; the exit code is 1 when there are any."""
    parser = argparse.ArgumentParser(prog="ci/mutants.sh", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", metavar="N", type=int, default=100)
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    parser.add_argument("-n", metavar="N", type=int, default=os.cpu_count() or 1, dest="jobs")
    options = parser.parse_args(arguments)
    unknown = [module for module in options.modules if module.partition("#")[0] not in ABOUT]
    if unknown:
        parser.error(f"{unknown[0]}: no module that can be mutated; there are {', '.join(ABOUT)}")
    survivors = list(_survivors(_chosen(options), options.jobs))
    for survivor in sorted(survivors):
        print(f"survives: {survivor}")
    return 1 if survivors else 0


def _chosen(options: argparse.Namespace) -> list[tuple[str, int]]:
    """Mutants named one by one (MODULE#NUMBER), and a sample of the modules that are named whole."""
    single = [module.partition("#") for module in options.modules if "#" in module]
    whole = [module for module in options.modules if "#" not in module]
    if not options.modules:
        whole = list(ABOUT)
    all_of_them = [(module, number) for module in whole for number in range(len(mutations_of(_tree(module))))]
    drawn = random.Random(options.seed).sample(all_of_them, min(options.sample, len(all_of_them)))
    return [*((module, int(number)) for module, _, number in single), *drawn]


def _survivors(mutants: Sequence[tuple[str, int]], jobs: int) -> Iterator[str]:
    with ProcessPoolExecutor(jobs) as pool:
        underway = {pool.submit(killer, *mutant): mutant for mutant in mutants}
        for judged, done in enumerate(as_completed(underway), 1):
            name, caught_by = named(*underway[done]), done.result()
            print(f"[{judged}/{len(mutants)}] {name}: {caught_by or 'SURVIVES'}", flush=True)
            if not caught_by:
                yield name
    print(f"{len(mutants)} mutants judged")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
