"""A kernel of CUDA in every language: read, specialised, written, read back and emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate
from gpuport.porting.specialise import specialise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEVICES = (("h100", "cuda"), ("mi300x", "hip"), ("m4", "metal"), ("cpu", "opencl"), ("rx7900xtx", "opencl"))


def read(tmp_path: Path, text: str, suffix: str = ".cu") -> Any:
    """The kernel k of a source, validated."""
    path = tmp_path / f"k{suffix}"
    path.write_text(text)
    program, _ = read_source(path, "k")
    validate(program)
    return program


def emulated(program: Any, machine: Any, args: Mapping[str, Any], roles: Mapping[str, Any], launch: Launch) -> Any:
    """The buffers that a run leaves; no findings."""
    done = emulate(program, machine, launch, dict(args), roles=dict(roles))
    assert not done.findings, done.findings
    return done.buffers


def everywhere(
    program: Any, args: Mapping[str, Any], roles: Mapping[str, Any], launch: Launch, source: str = "h100"
) -> dict[str, dict[str, Any]]:
    """The buffers that the source leaves on its own machine, and the text of each language on its device."""
    found = {"source": emulated(program, load_machine(source), args, roles, launch)}
    for device, language in DEVICES:
        dst = load_machine(device)
        special = specialise(
            resolve_spaces(program), load_machine(source), dst, language=language, block=launch.block,
            max_block=launch.block, shared_bytes=launch.shared_bytes, roles=roles, inits=dict.fromkeys(roles, -1.0),
        )  # fmt: skip
        if language == "cuda":
            from gpuport.backends.cuda.writer import write
        elif language == "hip":
            from gpuport.backends.hip.writer import write
        elif language == "metal":
            from gpuport.backends.metal.writer import write
        else:
            from gpuport.backends.opencl.writer import write
        text = write(special.program, dst, WritePlan("k", roles, launch.block, "k.cu"))
        back = read_text(text, dst)
        names = dict(zip((p.name for p in back.kernel.params), args, strict=True))
        given = {name: args[own] for name, own in names.items()}
        buffers = emulated(back, dst, given, {name: roles[own] for name, own in names.items() if own in roles}, launch)
        found[f"{device}:{language}"] = {names[name]: v for name, v in buffers.items()}
    return found


def check(
    program: Any,
    args: Mapping[str, Any],
    roles: Mapping[str, Any],
    launch: Launch,
    want: Mapping[str, Any],
    source: str = "h100",
) -> None:
    """Every run leaves these arrays."""
    for where, buffers in everywhere(program, args, roles, launch, source).items():
        for name, values in want.items():
            got = buffers[name]
            np.testing.assert_array_equal(got, np.asarray(values).astype(got.dtype), err_msg=f"{where}: {name}")
