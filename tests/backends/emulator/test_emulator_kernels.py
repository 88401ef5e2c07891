from __future__ import annotations

import numpy as np
from emu_build import clean, kinds, run
from emu_kernels import histogram, sgemm, softmax


def test_sgemm_ragged() -> None:
    rng = np.random.default_rng(1)
    m, n, k = 33, 47, 29
    a, b = rng.normal(size=(m, k)).astype(np.float32), rng.normal(size=(k, n)).astype(np.float32)
    args = {"a": a.ravel(), "b": b.ravel(), "o": np.zeros(m * n, np.float32), "M": m, "N": n, "K": k}
    got = clean(run(sgemm(16), args, (3, 3), (16, 16)))
    np.testing.assert_allclose(got.buffers["o"].reshape(m, n), a @ b, rtol=1e-4, atol=1e-4)
    assert not args["o"].any()


def test_sgemm_without_barrier_races() -> None:
    a = np.ones(64 * 64, np.float32)
    args = {"a": a, "b": a, "o": a, "M": 64, "N": 64, "K": 64}
    assert "race" in kinds(run(sgemm(16, barrier=False), args, (4, 4), (16, 16)))


def test_softmax() -> None:
    x = np.random.default_rng(2).normal(size=(5, 1000)).astype(np.float32)
    args = {"x": x.ravel(), "o": np.zeros(x.size, np.float32), "cols": 1000}
    got = clean(run(softmax(), args, 5, 256)).buffers["o"].reshape(x.shape)
    want = np.exp(x.astype(float)) / np.exp(x.astype(float)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_histogram() -> None:
    x = np.random.default_rng(3).integers(0, 256, 10007).astype(np.int32)
    args = {"x": x, "io": np.zeros(256, np.int32), "n": x.size}
    got = clean(run(histogram(), args, 7, 256)).buffers["io"]
    np.testing.assert_array_equal(got, np.bincount(x, minlength=256))
