"""clang's diagnostics, comments and locations, as the readers need them."""

from __future__ import annotations

import pytest
from gpuport.backends.clang import tool
from gpuport.backends.clang.types import parse_type
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.types import F32, I64, U8, U32, Array, Pointer, Space, Vector


def test_comments_are_found_and_strings_are_no_trap(tmp_path):
    path = tmp_path / "a.cu"
    path.write_text("const char* s = \"// no\";  // one\n/* two\n   lines */ int x; // 'three'\n")
    found = tool.comments(path)
    assert [(c.text, c.line, c.end_line) for c in found] == [
        ("// one", 1, 1),
        ("/* two\n   lines */", 2, 3),
        ("// 'three'", 3, 3),
    ]


def test_locations_are_complete():
    ast, messages = tool.parse("int a;\nint f(int b) {\n  return a +\n    b;\n}\n", ".cpp", ["-x", "c++"])
    assert messages == []
    function = next(n for n in ast["inner"] if n.get("name") == "f")
    assert function["loc"]["line"] == 2
    assert function["range"]["end"]["line"] == 5
    assert function["loc"]["file"].endswith(".cpp")


def test_errors_carry_file_and_line():
    _, messages = tool.parse("int a = b;\n", ".cpp", ["-x", "c++"])
    assert [(m.severity, m.line) for m in messages] == [("error", 1)]
    assert "undeclared" in messages[0].text


def test_a_diagnosis_is_that_of_the_parse():
    text = "int a = b;\nlong f(long x) { return x ? a : ; }\nint g() { return 1 ? &a : 0; }\n"
    said = tool.diagnose(text, ".cpp", ["-x", "c++"])
    whole = tool.parse(text, ".cpp", ["-x", "c++"])[1]
    assert [(m.line, m.col, m.severity, m.text) for m in said] == [(m.line, m.col, m.severity, m.text) for m in whole]
    assert len(said) >= 3
    assert tool.diagnose("int a;\n", ".cpp", ["-x", "c++"]) == []


def test_a_missing_clang_is_one_message(monkeypatch):
    monkeypatch.setenv("GPUPORT_CLANG", "/no/such/clang")
    tool.clang_command.cache_clear()
    try:
        with pytest.raises(tool.ClangError, match="cannot be started"):
            tool.parse("", ".cpp", [])
    finally:
        tool.clang_command.cache_clear()


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("const float *__restrict", Pointer(F32, Space.GENERIC, const=True, restrict=True)),
        ("float[32][33]", Array(Array(F32, 33), 32)),
        ("unsigned char", U8),
        ("long long", I64),
        ("__global const uint *restrict __private", Pointer(U32, Space.GLOBAL, const=True, restrict=True)),
        ("float __attribute__((ext_vector_type(4)))", Vector(F32, 4)),
        ("const __attribute__((address_space(1))) float *", Pointer(F32, Space.GLOBAL, const=True)),
        ("device float4 *", Pointer(Vector(F32, 4), Space.GLOBAL)),
    ],
)
def test_printed_types(printed, expected):
    assert parse_type({"qualType": printed}).type == expected


@pytest.mark.parametrize("printed", ["struct Params", "float **[4]", "void (*)(int)", "std::vector<float>"])
def test_other_types_are_refused(printed):
    with pytest.raises(Refusal, match="GP1103"):
        parse_type({"qualType": printed})
