"""NVIDIA's runtime compiler, in a process of its own: `python -m gpuport.backends.compilers.nvrtc` reads one request.

A request is JSON on standard input (source, name, options), the answer JSON on standard output (ok, version, log), so
that a crash or a hang of the compiler is an answer as well.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .assembly import Assembly, Resources

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ..base import KernelText

TIME_LIMIT: Final = 120.0
MISSING: Final = "NVRTC is not installed (pip install 'gpuport[nvrtc]')"


def available() -> bool:
    """Tell whether the packages of NVRTC are here."""
    try:
        return find_spec("cuda.bindings.nvrtc") is not None
    except ModuleNotFoundError:
        return False


def assemble_cuda(text: KernelText, machine: Machine) -> Assembly:
    """Compile a CUDA text to machine code for `machine.arch` (sm_90, ...)."""
    if not available():
        return Assembly(reason=MISSING)
    # the 90a, 100a ... instructions are for those who ask for them; a port does not
    options = [f"--gpu-architecture={machine.arch}", "--std=c++17", "--ptxas-options=-v", *text.options]
    options += [f"-I{folder}" for folder in header_folders()]
    answer = _asked(text, options)
    if isinstance(answer, Assembly):
        return answer
    compiler = f"NVRTC {answer['version']}"
    if machine.arch not in answer["architectures"]:
        return Assembly(reason=f"{compiler} knows no {machine.arch}")
    if "could not open source file" in answer["log"] or "cannot open source file" in answer["log"]:
        return Assembly(reason=f"{compiler}: {first_error(answer['log'])}")
    if not answer["ok"]:
        return Assembly(compiler, error=first_error(answer["log"]))
    found = parse_log(answer["log"], text.entry, compiler, machine.arch)
    if found is None:  # where a driver keeps what was compiled, a text that it has seen comes without ptxas's report
        anew = _asked(text, [*options, "--no-cache"])
        log = anew["log"] if isinstance(anew, dict) and anew["ok"] else ""
        found = parse_log(log, text.entry, compiler, machine.arch)
    return Assembly(compiler, resources=found)


def _asked(text: KernelText, options: list[str]) -> dict[str, Any] | Assembly:
    """What NVRTC answers; an Assembly where it does not."""
    request = {"source": text.source, "name": f"{text.entry}.cu", "options": options}
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(
            command, input=json.dumps(request), capture_output=True, encoding="utf-8", timeout=TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return Assembly("nvrtc", error=f"NVRTC gave no answer within {TIME_LIMIT:g} s")
    if done.returncode != 0 or not done.stdout.startswith("{"):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Assembly(reason=f"NVRTC does not run here: {last}")
    return json.loads(done.stdout)


def header_folders() -> list[str]:
    """Return the folders of CUDA's own headers (cuda_fp16.h, ...), where a package of NVIDIA's has brought them."""
    try:
        spec = find_spec("nvidia")
    except ModuleNotFoundError:
        return []
    roots = spec.submodule_search_locations if spec is not None else None
    return [str(f) for root in roots or () for f in sorted(Path(root).glob("cu*/include"))]


def first_error(log: str) -> str:
    """NVRTC's first error: `k.cu(12): error: identifier "x" is undefined` as `k.cu:12: identifier ...`."""
    lines = [x.strip() for x in log.splitlines() if x.strip()] or ["no message"]
    line = next((x for x in lines if re.search(r"\b(error|fatal)\b", x)), lines[0])
    located = re.match(r"(.*?)\((\d+)\): (?:catastrophic )?error(?: #?[\w-]+)?: (.*)", line)
    return f"{located[1]}:{located[2]}: {located[3]}" if located else line


def parse_log(log: str, entry: str, compiler: str, target: str) -> Resources | None:
    """Read ptxas's report (`--ptxas-options=-v`) on the kernel `entry`; None if there is none."""
    _, _, own = log.partition(f"Compiling entry function '{entry}'")
    used = re.search(r"Used (\d+) registers(.*)", own)
    if used is None:
        return None
    shared = re.search(r"(\d+) bytes smem", used[2])
    stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", own)
    return Resources(
        compiler,
        target,
        registers=int(used[1]),
        shared_bytes=int(shared[1]) if shared else 0,
        spill_bytes=int(stack[1]) if stack else 0,
    )


def compile_request(request: dict[str, Any]) -> dict[str, Any]:
    """Compile one source with NVRTC; raises what the bindings raise if the library is not there."""
    from cuda.bindings import nvrtc  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]

    def call(function: Any, *args: Any) -> Any:
        status, *rest = function(*args)
        if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise RuntimeError(f"{function.__name__}: {status}")
        return rest[0] if len(rest) == 1 else rest

    major, minor = call(nvrtc.nvrtcVersion)
    program = call(nvrtc.nvrtcCreateProgram, request["source"].encode(), request["name"].encode(), 0, [], [])
    options = [o.encode() for o in request["options"]]
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    log = b" " * call(nvrtc.nvrtcGetProgramLogSize, program)
    call(nvrtc.nvrtcGetProgramLog, program, log)
    return {
        "ok": status == nvrtc.nvrtcResult.NVRTC_SUCCESS,
        "version": f"{major}.{minor}",
        "architectures": [f"sm_{a}" for a in call(nvrtc.nvrtcGetSupportedArchs)],
        "log": log.decode(errors="replace").rstrip("\0 \n"),
    }


if __name__ == "__main__":
    print(json.dumps(compile_request(json.load(sys.stdin))))
