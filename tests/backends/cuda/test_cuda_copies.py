"""Asynchronous copies, pipelines and barriers of CUDA, in C++ and in PTX: to every destination, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from cuda_ports import check, read
from gpuport.backends.base import Launch
from gpuport.ir.diagnostics import Refusal

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda/barrier>
#include <cuda/pipeline>
#include <cuda_pipeline.h>
namespace cg = cooperative_groups;
using block_barrier = cuda::barrier<cuda::thread_scope::thread_scope_block>;
__device__ __forceinline__ uint32_t address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
__device__ __forceinline__ void copy16(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\\n" :: "r"(address(to)), "l"(from));
}
__device__ __forceinline__ void copy16_if(uint32_t to, const void* from, bool taken) {
  asm volatile("{\\n  .reg .pred p;\\n  setp.ne.b32 p, %0, 0;\\n  @p cp.async.cg.shared.global.L2::128B [%1], [%2], %3;\\n}\\n"
               :: "r"((int)taken), "r"(to), "l"(from), "n"(16));
}
#define COPY(to, from, bytes) asm volatile("cp.async.ca.shared.global [%0], [%1], %2;\\n" ::"r"(to), "l"(from), "n"(bytes))
#define WAIT(n) asm volatile("cp.async.wait_group %0;\\n" ::"n"(n))
"""
T = np.arange(64)
X = ((np.arange(256) * 37) % 101 - 50).astype(np.float32)
TURNED = X[T ^ 1]

# the body of k(const float* x, float* y), with i = threadIdx.x
BODIES = {
    "barrier": (
        "auto block = cg::this_thread_block(); __shared__ float s[64]; __shared__ cuda::barrier<cuda::thread_scope_block> bar;"
        " if (block.thread_rank() == 0) init(&bar, block.size()); block.sync();"
        " cuda::memcpy_async(block, s, x, sizeof(float) * 64, bar); bar.arrive_and_wait(); y[i] = s[i ^ 1];", TURNED),
    "barrier in two parts": (
        "auto block = cg::this_thread_block(); __shared__ float s[64]; __shared__ block_barrier bar;"
        " if (i == 0) init(&bar, blockDim.x * blockDim.y * blockDim.z); __syncthreads(); s[i] = x[i];"
        " block_barrier::arrival_token token = bar.arrive(); const float own = x[i]; bar.wait(std::move(token));"
        " const float other = s[i ^ 1]; bar.wait(bar.arrive()); s[i] = own; bar.arrive_and_wait(); y[i] = other + s[i ^ 2];",
        TURNED + X[T ^ 2]),
    "pipeline of the block": (
        "auto block = cg::this_thread_block(); constexpr size_t stages = 2; __shared__ float s[stages][64];"
        " __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;"
        " auto pipe = cuda::make_pipeline(block, &state); pipe.producer_acquire();"
        " cuda::memcpy_async(block, s[0], x, cuda::aligned_size_t<16>(sizeof(float) * 64), pipe); pipe.producer_commit(); float sum = 0.0f;"
        " for (int b = 1; b < 4; ++b) { pipe.producer_acquire(); cuda::memcpy_async(block, s[b & 1], x + 64 * b, sizeof(float) * 64, pipe);"
        " pipe.producer_commit(); pipe.consumer_wait(); sum += s[(b - 1) & 1][i ^ 1]; pipe.consumer_release(); }"
        " pipe.consumer_wait(); y[i] = sum + s[1][i ^ 1]; pipe.consumer_release();", X.reshape(4, 64)[:, T ^ 1].sum(0)),
    "pipeline of a thread": (
        "__shared__ float s[2][64]; cuda::pipeline<cuda::thread_scope_thread> pipe = cuda::make_pipeline(); pipe.producer_acquire();"
        " const auto shape = cuda::aligned_size_t<alignof(float)>(sizeof(float));"
        " cuda::memcpy_async(&s[1][i], &x[i], shape, pipe); pipe.producer_commit(); cuda::pipeline_consumer_wait_prior<0>(pipe);"
        " __syncthreads(); y[i] = s[1][i ^ 1]; pipe.consumer_release();", TURNED),
    "groups wait in turn": (
        "auto block = cg::this_thread_block(); __shared__ float s[2][64]; cg::memcpy_async(block, s[0], x, sizeof(float) * 64);"
        " cg::memcpy_async(block, s[1], x + 64, cuda::aligned_size_t<4>(sizeof(float) * 64)); cg::wait_prior<1>(block);"
        " const float v = s[0][i ^ 1]; cg::wait_prior<0>(block); y[i] = v + s[1][i];", TURNED + X[64:128]),
    "as many as both have": (
        "auto block = cg::this_thread_block(); __shared__ float s[64]; s[i] = 7.0f; block.sync(); cg::memcpy_async(block, s, 64, x, 50);"
        " cg::wait(block); y[i] = s[i];", np.where(T < 50, X[:64], 7)),
    "bytes that are no whole elements": (
        "auto block = cg::this_thread_block(); __shared__ float4 s[16]; float* f = (float*)s; f[i] = 7.0f; block.sync();"
        " cg::memcpy_async(block, s, (const float4*)x, sizeof(float) * 50); cg::wait(block); y[i] = f[i];", np.where(T < 50, X[:64], 7)),
    "primitives": (
        "__shared__ float s[256]; __pipeline_memcpy_async(s + 4 * i, x + 4 * i, 16); __pipeline_commit(); __pipeline_wait_prior(0);"
        " __syncthreads(); y[i] = s[3 * i];", X[3 * T]),
    "half of a vector": (
        "__shared__ float4 s[64]; s[i] = make_float4(1.0f, 2.0f, 3.0f, 4.0f); __pipeline_memcpy_async(&s[i], (const float4*)x + i, 8);"
        " __syncthreads(); const float4 v = s[i ^ 1]; y[i] = v.x + 1000.0f * v.y + v.z + v.w;",
        X[4 * (T ^ 1)] + 1000 * X[4 * (T ^ 1) + 1] + 7),
    "filled with zeros": (
        "__shared__ float4 s[64]; __pipeline_memcpy_async(&s[i], (const float4*)x + i, sizeof(float4), i % 17);"
        " __pipeline_wait_prior(0); __syncthreads(); const float4 v = s[i ^ 1]; const int left = 16 - (i ^ 1) % 17;"
        " const float part = left & 3 ? __int_as_float(__float_as_int(x[4 * (i ^ 1) + left / 4]) & ((1 << 8 * (left & 3)) - 1)) : 0.0f;"
        " const float* f = (const float*)&s[i ^ 1]; y[i] = v.x + v.y + v.z + v.w - (left & 3 ? f[left / 4] : 0.0f) + (left & 3 && f[left / 4] == part ? 0.5f : 0.0f);",
        [X[4 * t : 4 * t + (16 - t % 17) // 4].sum() + (0.5 if (16 - t % 17) % 4 else 0) for t in T ^ 1]),
    "memcpy of a value": (
        "unsigned u; memcpy(&u, x + i, sizeof(u)); float4 v; memcpy(&v, x + 4 * i, sizeof(v)); int4 b; memcpy(&b, &v, sizeof b);"
        " y[i] = __uint_as_float(u) + v.y + __int_as_float(b.w);", X[T] + X[4 * T + 1] + X[4 * T + 3]),
    "memcpy of several values": (
        "struct P { int a; float b; }; float f[4]; memcpy(f, &x[4 * i], sizeof(f)); int4 b; memcpy(&b, f, sizeof(b));"
        " P p = {2, f[1]}, q; memcpy(&q, &p, sizeof(P)); y[i] = f[0] + q.a * q.b + __int_as_float(b.z);",
        X[4 * T] + 2 * X[4 * T + 1] + X[4 * T + 2]),
    "PTX by a function": (
        "__shared__ float s[256]; copy16(s + 4 * i, x + 4 * i); asm volatile(\"cp.async.commit_group;\\n\" ::);"
        " asm volatile(\"cp.async.wait_group 0;\\n\" ::); __syncthreads(); y[i] = s[3 * i];", X[3 * T]),
    "PTX by a macro": (
        "__shared__ float s[2][128]; int a = __cvta_generic_to_shared(s[0]) + i * sizeof(float) * 2; COPY(a, x + 2 * i, 8);"
        " COPY(a + 128 * (int)sizeof(float), x + 2 * i + 128, 8); WAIT(0); __syncthreads(); y[i] = s[0][i ^ 1] + s[1][2 * i];",
        TURNED + X[128 + 2 * T]),
    "PTX of some threads": (
        "__shared__ float s[2][256]; s[0][i] = s[1][i] = 5.0f; __syncthreads(); uint32_t a = address(s[0]) + i * 16;"
        " for (int k = 0; k < 2; ++k, a += sizeof(float) * 256) copy16_if(a, x + 4 * i, i < 8 * (k + 1));"
        " asm volatile(\"cp.async.commit_group;\\n cp.async.wait_group 0;\\n\" ::); __syncthreads(); y[i] = s[0][i] + s[1][i];",
        np.where(T < 32, X[:64], 5) + X[:64]),
    "PTX of less": (
        "__shared__ float s[256]; uint32_t a = (uint32_t)__cvta_generic_to_shared(&s[i * 4]); int some = i < 10 ? 16 : i < 12 ? 8 : 0;"
        " asm volatile(\"cp.async.cg.shared.global [%0], [%1], 16, %2;\\n\" :: \"r\"(a), \"l\"(&x[4 * i]), \"r\"(some));"
        " asm volatile(\"cp.async.wait_all;\\n\" ::: \"memory\"); __syncthreads(); y[i] = s[i];",
        np.where(T < 42, X[:64], np.where((T >= 44) & (T < 46), X[:64], 0))),
}  # fmt: skip


def source(tmp_path: Path, body: str) -> object:
    text = f"{HEAD}__global__ void k(const float* x, float* y) {{\n  const int i = threadIdx.x;\n  {body}\n}}"
    return read(tmp_path, text)


@pytest.mark.parametrize("name", BODIES)
def test_copies(tmp_path: Path, name: str) -> None:
    body, want = BODIES[name]
    args = {"x": X, "y": np.full(64, -1, np.float32)}
    roles = {"x": "in", "y": "inout"}
    check(source(tmp_path, body), args, roles, Launch((1, 1, 1), (64, 1, 1)), {"y": want})


def test_halves_are_copied(tmp_path: Path) -> None:
    text = """#include <cuda_fp16.h>
__device__ void copy(half* to, const half* from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(to)), "l"(from));
}
__global__ void k(const half* x, half* y) {
  __shared__ half s[512]; const int i = threadIdx.x; copy(s + 8 * i, x + 8 * i); __syncthreads(); y[i] = s[7 * i];
}"""
    x = np.arange(512).astype(np.float16)
    args = {"x": x, "y": np.zeros(64, np.float16)}
    check(read(tmp_path, text), args, {"x": "in", "y": "inout"}, Launch((1, 1, 1), (64, 1, 1)), {"y": x[7 * T]})


REFUSED = {
    "barrier of some threads": ("__shared__ block_barrier b; if (i == 0) init(&b, 32); b.arrive_and_wait();", "GP1104", "all threads"),
    "barrier of a row": ("__shared__ block_barrier b; if (i == 0) init(&b, blockDim.x); b.arrive_and_wait();", "GP1104", "all threads"),
    "roles": ("__shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, 2> s;"
              " auto p = cuda::make_pipeline(cg::this_thread_block(), &s, i < 32 ? cuda::pipeline_role::producer : cuda::pipeline_role::consumer);"
              " p.producer_acquire();", "GP1104", "all threads"),
    "pipeline of a tile": ("__shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, 2> s;"
                           " auto p = cuda::make_pipeline(cg::tiled_partition<32>(cg::this_thread_block()), &s);", "GP1104", "all threads"),
    "address in arithmetic": ("__shared__ float s[64]; uint32_t a = address(s); y[i] = (float)(a ^ 3);", "GP1102", "operator ^"),
    "address stored": ("__shared__ float s[64]; uint32_t a = address(s); ((unsigned*)y)[i] = a;", "GP1101", "as a number"),
    "bulk copy": ("asm volatile(\"cp.async.bulk.commit_group;\" ::);", "GP1101", "bulk"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused(tmp_path: Path, name: str) -> None:
    body, number, why = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        source(tmp_path, body)
    first = refusal.value.diagnostics[0]
    assert first.number == number
    assert why in first.message
    assert first.loc
