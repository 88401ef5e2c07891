"""The NVIDIA occupancy rule against NVIDIA's own cuda_occupancy.h, on random configurations.

The header comes with the wheel nvidia-cuda-runtime, a test extra.
"""

from __future__ import annotations

import importlib.util
import math
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gpuport.hwmodels import Machine, load_machine
from gpuport.hwmodels.occupancy import Usage, occupancy

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATIONS = 20_000
ARCHITECTURES = ("sm_70", "sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_100", "sm_120", "sm_121")
UNLIMITED = 2**31 - 1

PROGRAM = r"""
#include <stdio.h>
#include "cuda_occupancy.h"
int main(void) {
  int major, minor, threads, per_sm, regs_block, regs_sm, block, regs, carveout, barriers, virtuals;
  long shared_block, shared_sm, optin, reserved, fixed, dynamic, allowed;
  while (scanf("%d %d %d %d %d %d %ld %ld %ld %ld %d %d %ld %ld %ld %d %d %d", &major, &minor, &threads, &per_sm,
               &regs_block, &regs_sm, &shared_block, &shared_sm, &optin, &reserved, &block, &regs, &fixed, &dynamic,
               &allowed, &carveout, &barriers, &virtuals) == 18) {
    struct cudaOccDeviceProp p = {0};
    p.computeMajor = major; p.computeMinor = minor; p.maxThreadsPerBlock = threads;
    p.maxThreadsPerMultiprocessor = per_sm; p.regsPerBlock = regs_block; p.regsPerMultiprocessor = regs_sm;
    p.warpSize = 32; p.sharedMemPerBlock = shared_block; p.sharedMemPerMultiprocessor = shared_sm; p.numSms = 1;
    p.sharedMemPerBlockOptin = optin; p.reservedSharedMemPerBlock = reserved;
    struct cudaOccFuncAttributes a = {0};
    a.maxThreadsPerBlock = threads; a.numRegs = regs; a.sharedSizeBytes = fixed;
    a.partitionedGCConfig = PARTITIONED_GC_OFF; a.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
    a.maxDynamicSharedSizeBytes = allowed; a.numBlockBarriers = barriers; a.virtualResourceCount = virtuals;
    struct cudaOccDeviceState s = {0};
    s.cacheConfig = CACHE_PREFER_NONE; s.carveoutConfig = carveout;
    struct cudaOccResult r = {0};
    int error = cudaOccMaxActiveBlocksPerMultiprocessor(&r, &p, &a, &s, block, dynamic);
    printf("%d %d %d %d %d %d %d %d %d\n", error, r.activeBlocksPerMultiprocessor, (int)r.limitingFactors,
           r.blockLimitWarps, r.blockLimitRegs, r.blockLimitSharedMem, r.blockLimitBlocks, r.blockLimitBarriers,
           r.blockLimitVirtual);
  }
  return 0;
}
"""
# In the order of the header's limits, and of its limiting-factor bits.
NAMES = ("threads", "registers", "shared", "groups", "barriers", "virtual resources")


def header_folder() -> Path | None:
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or []) if spec else []
    return next((found.parent for root in roots for found in sorted(Path(root).rglob("cuda_occupancy.h"))), None)


def compiler() -> list[str]:
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return [found] if found else [sys.executable, "-m", "ziglang", "cc"]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = header_folder()
    if folder is None:
        pytest.skip("cuda_occupancy.h is not there: pip install nvidia-cuda-runtime")
    build = tmp_path_factory.mktemp("occupancy")
    (build / "oracle.c").write_text(PROGRAM)
    command = [*compiler(), "-O1", "-w", "-I", str(folder), str(build / "oracle.c"), "-o", str(build / "oracle")]
    subprocess.run(command, check=True, capture_output=True)
    return build / "oracle"


def device(machine: Machine) -> list[int]:
    major, minor = machine.text("isa.compute_capability").split(".")
    paths = (
        *("limits.threads_per_group", "limits.threads_per_unit", "registers.per_group", "registers.per_unit"),
        *("shared.per_group", "shared.per_unit", "shared.per_group_optin", "shared.reserved_per_group"),
    )
    return [int(major), int(minor), *(machine.integer(path) for path in paths)]


def usages(rng: random.Random) -> Iterator[Usage]:
    while True:
        dynamic = rng.choice([0, rng.randint(0, 1024) * 16, rng.randint(0, 240 * 1024)])
        yield Usage(
            threads=rng.choice([rng.randint(1, 1100), 32 * rng.randint(1, 32)]),
            registers=rng.choice([rng.randint(0, 260), rng.randint(16, 96)]),
            shared=rng.choice([0, rng.randint(0, 64 * 1024)]),
            shared_dynamic=dynamic,
            shared_opt_in=rng.choice([dynamic, rng.randint(0, 240 * 1024)]),
            carveout=rng.choice([None, rng.randint(0, 100)]),
            barriers=rng.randint(0, 16),
            virtual_resources=rng.choice([0, rng.randint(1, 128)]),
        )


def test_agrees_with_nvidias_header(oracle: Path) -> None:
    rng = random.Random(20_240_607)
    machines = [load_machine(name) for name in ARCHITECTURES]
    cases = [(rng.choice(machines), usage) for usage, _ in zip(usages(rng), range(CONFIGURATIONS), strict=False)]
    lines = []
    for machine, u in cases:
        assert u.shared_opt_in is not None
        kernel = [u.threads, u.registers, u.shared, u.shared_dynamic, u.shared_opt_in]
        carveout = -1 if u.carveout is None else u.carveout
        lines.append(" ".join(map(str, [*device(machine), *kernel, carveout, u.barriers, u.virtual_resources])))
    out = subprocess.run([oracle], input="\n".join(lines), text=True, capture_output=True, check=True).stdout
    answers = [[int(x) for x in line.split()] for line in out.splitlines()]
    assert len(answers) == CONFIGURATIONS
    launchable = 0
    for (machine, usage), (error, blocks, bits, *limits) in zip(cases, answers, strict=True):
        assert error == 0
        got = occupancy(machine, usage)
        assert got.groups == blocks, (machine.id, usage, limits)
        expected = dict(zip(NAMES, (math.inf if v == UNLIMITED else v for v in limits), strict=True))
        for name, limit in expected.items():
            assert got.limits.get(name, math.inf) == limit, (machine.id, usage, name)
        # The header sets the other factors before it looks at barriers, so its bits are stale where those bind alone.
        if expected["barriers"] >= min(v for k, v in expected.items() if k != "barriers"):
            flags = dict(zip((1, 2, 4, 8, 16, 32), NAMES, strict=True))
            assert set(got.limiters) == {name for bit, name in flags.items() if bits & bit}, (machine.id, usage)
        launchable += blocks > 0
    assert launchable > CONFIGURATIONS // 4
