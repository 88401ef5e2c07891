"""clang for amdgcn: HIP and OpenCL C texts to AMD's instructions, by the compiler that ROCm builds on."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..clang.tool import ClangError, clang_command, clang_version
from .assembly import Assembly, Resources

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ..base import KernelText

TIME_LIMIT: Final = 120.0
# may be what our headers lack of ROCm's; that the text's names are known, its reader has seen
_UNDECLARED: Final = re.compile(
    r"undeclared identifier|undeclared function|unknown type name|no matching|file not found"
)


def assemble_amdgcn(text: KernelText, machine: Machine) -> Assembly:
    """Compile a HIP or OpenCL text for `machine.arch` (gfx942, ...)."""
    try:
        command = clang_command()
        compiler = " ".join(clang_version().split()[:3])
    except ClangError as error:
        return Assembly(reason=str(error))
    suffix = ".hip" if text.language == "hip" else ".cl"
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        source, out = Path(tmp) / f"{text.entry}{suffix}", Path(tmp) / "out.s"
        source.write_text(text.source, encoding="utf-8")
        arguments = [*command, *_flags(text, machine), "-O3", "-S", "-w", "-o", str(out), str(source)]
        try:
            done = subprocess.run(
                arguments, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            return Assembly(compiler, error=f"clang gave no answer within {TIME_LIMIT:g} s")
        except OSError as error:
            return Assembly(reason=f"clang cannot be started: {error}")
        if done.returncode != 0:
            return _failed(done.stderr, str(source), text.entry + suffix, compiler)
        assembly = out.read_text(encoding="utf-8")
    return Assembly(compiler, resources=parse_assembly(assembly, text.entry, compiler, machine.arch))


def _flags(text: KernelText, machine: Machine) -> list[str]:
    ours = Path(__file__).parent / "include"
    if text.language == "hip":
        return ["-x", "hip", "--cuda-device-only", "-nogpuinc", "-nogpulib", f"--offload-arch={machine.arch}",
                f"-DGP_WAVE={machine.get('execution.subgroup_width', 64)}", "-std=c++17", "-I", str(ours),
                "-include", "gpuport_amdgcn_hip.h", *text.options]  # fmt: skip
    declarations = Path(__file__).parents[1] / "opencl" / "include"
    return ["-x", "cl", "-cl-no-stdinc", "-target", "amdgcn-amd-amdhsa", f"-mcpu={machine.arch}", "-nogpulib",
            "-I", str(ours), "-I", str(declarations), "-include", "gpuport_amdgcn_cl.h", *text.options]  # fmt: skip


def _failed(log: str, path: str, name: str, compiler: str) -> Assembly:
    """An error in the text refutes it; one elsewhere (an unknown target, a header of ours) is no fault of the text."""
    for line in log.splitlines():
        match = re.match(r"(.*?):(\d+):\d+: (?:fatal )?error: (.*)", line)
        if match:
            if match[1] == path and not _UNDECLARED.search(match[3]):
                return Assembly(compiler, error=f"{name}:{match[2]}: {match[3]}")
            return Assembly(reason=f"{compiler}: {Path(match[1]).name}:{match[2]}: {match[3]}")
    lines = [line for line in log.splitlines() if "error" in line] or log.splitlines() or ["no message"]
    return Assembly(reason=f"{compiler}: {lines[0]}")


def parse_assembly(assembly: str, entry: str, compiler: str, target: str) -> Resources | None:
    """Read the metadata of the kernel `entry` in clang's assembly (AMDGPUUsage, code object metadata)."""
    kernels = assembly.partition("amdhsa.kernels:")[2].partition("amdhsa.target:")[0]
    # a kernel's keys are sorted, its arguments first: the block of keys ends where the next kernel begins
    own = next((b for b in re.split(r"\n  - ", kernels) if re.search(rf"\.name: +{re.escape(entry)}\n", b)), None)
    if own is None:
        return None
    numbers = {key: int(value) for key, value in re.findall(r"\.(\w+): +(\d+)\n", own)}
    try:
        return Resources(
            compiler,
            target,
            # the accumulation registers of CDNA are counted with the others
            registers=numbers["vgpr_count"],
            scalar_registers=numbers["sgpr_count"],
            shared_bytes=numbers["group_segment_fixed_size"],
            spill_bytes=numbers["private_segment_fixed_size"],
            note=_calls(assembly),
        )
    except KeyError:  # a count that depends on a function elsewhere is an expression
        return None


def _calls(assembly: str) -> str:
    """Say which functions of ROCm's device library are called, whose registers nobody counts here."""
    defined = set(re.findall(r"^([\w.$]+):", assembly, re.MULTILINE))
    called = {s for s in re.findall(r"([\w.$]+)@(?:rel32|gotpcrel32)@lo", assembly) if s not in defined}
    names = sorted({re.sub(r"^_Z\d+([a-z]\w*?[a-z0-9])[a-z]?$", r"\1", s) for s in called})
    return f"without the library's {', '.join(names)}" if names else ""
