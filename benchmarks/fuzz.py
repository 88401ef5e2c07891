"""Read mutated, truncated and nested sources of the corpus; prints reads, refusals, tracebacks and time-outs.

    python benchmarks/fuzz.py 2000 --seed 1 --seconds 30

Each source is a kernel of tests/kernels or examples with a few tokens deleted, doubled, swapped or replaced, cut off,
or with a part repeated or nested. A traceback or a time-out is printed with its seed and kept in --keep.
"""

from __future__ import annotations

import argparse
import collections
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import gpuport
from gpuport.backends.clang.tool import ClangError
from gpuport.backends.readers import read_source
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

ROOT = Path(__file__).parents[1]
TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
INSERTED = """{ } ( ) ; , * & [ ] < > ? : = += << -- ! ~ return break continue goto switch case default do while for if
else 0 -1 1e400f 0x 2.0 'a' float4 double long unsigned const static volatile extern typedef template struct union enum
class operator this nullptr sizeof auto decltype constexpr namespace using __shared__ __local __global__ __device__
threadIdx asm lambda [&] #define #if #include \\ " ' /* // \0 é""".split()


OPERATORS = set("+-*/%&|^<>=")
NESTED = [("(", ")"), ("{", "}"), ("if (n > 0) {", "}"), ("for (int q = 0; q < 2; ++q) {", "}")]


def corpus() -> list[tuple[Path, str, str | None]]:
    """The sources with an entry each and the language, where the spec names one."""
    found: list[tuple[Path, str, str | None]] = []
    for spec in sorted([*ROOT.glob("tests/kernels/*/*.kernel.toml"), *ROOT.glob("examples/*/*.kernel.toml")]):
        kernel = gpuport.Kernel.load(spec)
        if kernel.source.suffix != ".metal":  # those of the corpus are bodies, which are no sources of their own
            found.append((kernel.source, kernel.model.entry, kernel.model.language))
    return found


def mutated(text: str, rng: random.Random) -> str:
    """One to nine changes of tokens, or a cut, or a part of the text many times over or inside itself."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 9])):
        i, k = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        match rng.choice([0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9, 10, 10, 10]):
            case 0:
                del tokens[i : i + rng.choice([1, 1, 3, 20])]
            case 1:
                tokens.insert(i, tokens[k])
            case 2:
                tokens[i], tokens[k] = tokens[k], tokens[i]
            case 3:
                tokens[i] = rng.choice(INSERTED)
            case 4:
                tokens.insert(i, f" {rng.choice(INSERTED)} ")
            case 5:
                tokens[i] = tokens[k]
            case 6:
                tokens = tokens[: i + 1] if rng.random() < 0.3 else tokens
            case 7:  # the same part again and again
                part = tokens[i : i + rng.choice([2, 8, 40])]
                tokens[i:i] = part * rng.choice([2, 10, 60])
            case 8:  # parts inside each other
                depth = rng.choice([3, 30, 120])
                opening, closing = rng.choice(
                    [("(", ")"), ("{", "}"), ("if (n > 0) {", "}"), ("for (int q = 0; q < 2; ++q) {", "}")]
                )
                tokens[i:i] = [opening] * depth
                at = min(len(tokens), i + depth + rng.choice([1, 8, 40]))
                tokens[at:at] = [closing] * depth
            case 10:  # a word for another: names of one source are mostly of one kind
                words = [j for j, w in enumerate(tokens) if w[0].isalpha() or w in OPERATORS]
                if words:
                    a, b = rng.choice(words), rng.choice(words)
                    if (tokens[a] in OPERATORS) == (tokens[b] in OPERATORS):
                        tokens[a] = tokens[b]
            case _:
                tokens[i] = str(rng.choice([0, 1, 2**31, 2**32 - 1, 2**63, 10**30]))
        tokens = tokens or [" "]
    return "".join(tokens)


def read_once(path: Path, entry: str, language: str | None, seconds: int) -> tuple[str, str]:
    """What became of one source: read, refused, traceback or time-out, and more about it."""

    def late(_signal: int, _frame: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        program, _ = read_source(path, entry, language=language)
        validate(program)
    except Refusal as refusal:
        return "refused", refusal.diagnostics[0].number if refusal.diagnostics else "none"
    except TimeoutError:
        return "time-out", f"over {seconds} s"
    except ClangError as error:
        return "clang", str(error)[:100]
    except BaseException:
        return "traceback", traceback.format_exc()
    finally:
        signal.alarm(0)
    return "read", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=30, help="for one source")
    parser.add_argument("--limit", type=float, default=float("inf"), help="seconds in all")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for the sources that crash or hang")
    given = parser.parse_args()
    sources = corpus()
    outcomes: collections.Counter[str] = collections.Counter()
    numbers: collections.Counter[str] = collections.Counter()
    slowest, started, done = (0.0, ""), time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seed, given.seed + given.count):
            if time.monotonic() - started > given.limit:
                break
            rng = random.Random(seed)
            source, entry, language = rng.choice(sources)
            text = mutated(source.read_text(), rng)
            path = Path(folder) / source.name
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            began = time.monotonic()
            outcome, more = read_once(path, entry, language, given.seconds)
            slowest = max(slowest, (time.monotonic() - began, f"{source.name}, seed {seed}"))
            outcomes[outcome] += 1
            done += 1
            if outcome == "refused":
                numbers[more] += 1
            elif outcome != "read":
                print(
                    f"{outcome}: {source.name}, seed {seed}: {more.strip().splitlines()[-1] if more else ''}",
                    flush=True,
                )
                if given.keep is not None:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{seed}-{source.name}").write_text(text, errors="surrogatepass")
                    (given.keep / f"{seed}-{source.name}.txt").write_text(more)
    print(f"{done} sources in {time.monotonic() - started:.0f} s, the slowest {slowest[0]:.1f} s ({slowest[1]})")
    print(", ".join(f"{outcomes[k]} {k}" for k in ("read", "refused", "traceback", "time-out", "clang")))
    print("first numbers:", ", ".join(f"{n} {c}" for n, c in sorted(numbers.items())))
    return 1 if outcomes["traceback"] or outcomes["time-out"] or outcomes["clang"] else 0


if __name__ == "__main__":
    sys.exit(main())
