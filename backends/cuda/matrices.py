"""Warp matrices as CUDA and AMD spell them: `wmma`, and rocWMMA, which has the same names in its own namespace.

From the CUDA C++ Programming Guide (warp matrix functions) and rocWMMA's API reference.
"""

from __future__ import annotations

from typing import Final

from ..clike.dialect import MatrixForm


def wmma_form(namespace: str, headers: tuple[str, ...]) -> MatrixForm:
    """Return the spelling in a namespace."""
    ns = namespace
    return MatrixForm(
        type=f"{ns}::fragment<{ns}::{{use}}, {{m}}, {{n}}, {{k}}, {{elem}}{{layout}}>",
        uses={"a": "matrix_a", "b": "matrix_b", "c": "accumulator"},
        layouts={"row": f", {ns}::row_major", "column": f", {ns}::col_major"},
        step_layouts={"row": f"{ns}::mem_row_major", "column": f"{ns}::mem_col_major"},
        steps={
            "fill": f"{ns}::fill_fragment({{matrix}}, {{value}});",
            "load": f"{ns}::load_matrix_sync({{matrix}}, {{pointer}}, {{stride}});",
            "load c": f"{ns}::load_matrix_sync({{matrix}}, {{pointer}}, {{stride}}, {{layout}});",
            "store": f"{ns}::store_matrix_sync({{pointer}}, {{matrix}}, {{stride}}, {{layout}});",
            "multiply": f"{ns}::mma_sync({{matrix}}, {{a}}, {{b}}, {{c}});",
        },
        elements="x",
        headers=headers,
    )


WMMA: Final = wmma_form("wmma", ("#include <mma.h>", "using namespace nvcuda;"))
ROCWMMA: Final = wmma_form("rocwmma", ("#include <rocwmma/rocwmma.hpp>",))
