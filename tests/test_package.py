"""The package as a user gets it: the wheel, the import, the public names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = ("*.toml", "*.j2", "*.css", "*.h", "*.py")
FOLDERS = ("agents", "backends", "hwmodels", "ir", "porting", "templates")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a wheel that is built from the tree's own files."""
    out = tmp_path_factory.mktemp("wheel")
    tree = tmp_path_factory.mktemp("tree") / "some-folder"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [path] = out.glob("*.whl")
    return zipfile.ZipFile(path).namelist()


def test_the_wheel_holds_every_package_model_template_and_header(wheel: list[str]) -> None:
    wanted = {
        f"gpuport/{path.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (any(path.match(pattern) for pattern in DATA) or path.parent.name == "include")
    } | {"gpuport/__init__.py", "gpuport/cli.py", "gpuport/terminal.py", "gpuport/py.typed"}
    assert wanted <= set(wheel), sorted(wanted - set(wheel))


def test_the_wheel_holds_nothing_else_of_the_tree(wheel: list[str]) -> None:
    tops = {name.split("/")[1] for name in wheel if name.startswith("gpuport/")}
    assert not tops & {"tests", "docs", "benchmarks", "examples"}
    assert all(name.startswith(("gpuport/", "gpuport-")) for name in wheel)


def test_import_is_fast_and_light() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import gpuport; t = time.perf_counter() - t;"
        "heavy = {'numpy', 'jinja2', 'pyopencl', 'rich', 'typer', 'z3', 'mlx', 'cupy'} & set(sys.modules);"
        "print(t, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    taken, heavy = done.stdout.split(" ", 1)
    assert float(taken) < 0.3
    assert heavy.strip() == "[]"


def test_public_names() -> None:
    import gpuport

    for name in gpuport.__all__:
        assert getattr(gpuport, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = gpuport.no_such_name
