"""The command `gpuport`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .hwmodels.commands import app as machines_app
from .hwmodels.errors import GpuportError

if TYPE_CHECKING:
    from .agents.client import Server
    from .porting.report import PortReport
    from .porting.specialise import Doubles

app = typer.Typer(
    name="gpuport",
    help="Port a GPU kernel from one device to another: specialised, revalidated, measured, with a report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(machines_app, name="machines")

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.command("port")
def port_command(
    file: Annotated[
        Path, typer.Argument(help="A kernel's source (with NAME.kernel.toml beside it), or the spec itself.")
    ],
    src: Annotated[str, typer.Option(help="The machine that the kernel was written for: a name or a model file.")],
    dst: Annotated[str, typer.Option(help="Destination machines, separated by commas: names or model files.")],
    out: Annotated[Path | None, typer.Option(help="Write a folder per destination, and index.html, here.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Write this language, where a machine runs several: cuda, hip, metal, opencl.")
    ] = None,
    fp64: Annotated[
        str | None,
        typer.Option(help="What doubles become where a machine has none: float32, double-single. [default: refused]"),
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds that one run of a kernel may take.")] = 20.0,
    agents: Annotated[int, typer.Option(min=0, help="Workers of a swarm that asks a language model; 0: none.")] = 0,
    advice: Annotated[str, typer.Option(help="Advice of yours for the swarm.")] = "",
    llm_base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server; default OPENAI_BASE_URL.")
    ] = None,
    llm_model: Annotated[str | None, typer.Option(help="The model there; default GPUPORT_LLM_MODEL.")] = None,
    max_candidates: Annotated[int, typer.Option(help="Candidates that the swarm may try per destination.")] = 24,
    max_tokens: Annotated[int, typer.Option(help="Tokens that it may spend per destination.")] = 400_000,
    max_cost: Annotated[float | None, typer.Option(help="Cost that it may cause, at the prices given.")] = None,
    prices: Annotated[str, typer.Option(help="Prices of a million tokens, input,output.")] = "0,0",
    max_seconds: Annotated[float, typer.Option(help="Seconds that it may take per destination.")] = 900.0,
    target: Annotated[
        float, typer.Option(help="Share of the roofline, measured, at which a right candidate is good enough.")
    ] = 0.9,
    trace: Annotated[Path | None, typer.Option(help="Keep its trace and cached answers in this folder.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the trace there.")] = False,
    as_json: Json = False,
) -> None:
    """Port a kernel to one or several machines; exit status 0 if all are verified, 1 if one is refused or refuted."""
    from .api import port
    from .porting.port import port_all
    from .porting.report import write_index
    from .porting.report.write import folder_names
    from .terminal import port_progress, port_table, swarm_line

    doubles: Doubles = ""
    if fp64 == "float32" or fp64 == "double-single":
        doubles = fp64
    elif fp64 is not None:
        raise typer.BadParameter(f"expected float32 or double-single, found {fp64!r}", param_hint="--fp64")
    names = [n.strip() for n in dst.split(",") if n.strip()]
    if not names:
        raise typer.BadParameter("name at least one machine", param_hint="--dst")
    if twice := next((n for n in names if names.count(n) > 1), ""):
        raise typer.BadParameter(f"{twice} is named twice", param_hint="--dst")
    swarm = None
    if agents > 0:
        from .agents.budget import parse_budget
        from .agents.swarm import Swarm

        budget = parse_budget(max_candidates, max_tokens, max_seconds, max_cost, prices)
        swarm = Swarm(
            _server(llm_base_url, llm_model), agents, budget, advice, trace, resume, target=target,
            time_limit=time_limit, progress=swarm_line(enabled=not as_json),
        )  # fmt: skip
    with port_progress(enabled=not as_json) as progress:
        options: dict[str, Any] = {
            "language": language, "fp64": doubles, "time_limit": time_limit, "progress": progress,
        }  # fmt: skip
        if swarm is None:
            reports = port_all(file, src=src, dst=names, **options)
        else:  # where all are refused, the reports tell what the swarm tried
            reports = port(file, src, names, agents=swarm, **options)
    folders: list[Path | None] = [None] * len(reports)
    if out is not None:
        folders = [out / name for name in folder_names(reports)]
        for report, folder in zip(reports, folders, strict=True):
            assert folder is not None
            report.write(folder)
        write_index(reports, out)
    if as_json:
        typer.echo(json.dumps([_summary(r, f) for r, f in zip(reports, folders, strict=True)], indent=2))
    else:
        port_table(reports, out)
    raise typer.Exit(0 if all(r.verified for r in reports) else 1)


def _server(base_url: str | None, model: str | None) -> Server | None:
    """The language-model server; where none is named, one loud line, and the swarm works without."""
    from .agents.client import server_from_environment
    from .agents.errors import ModelError

    try:
        return server_from_environment(base_url, model)
    except ModelError as error:
        if base_url or model:
            raise
        print(f"gpuport: {error}; the swarm works without a model", file=sys.stderr)
        return None


@app.command("check")
def check_command(
    file: Annotated[
        Path, typer.Argument(help="A kernel's source (with NAME.kernel.toml beside it), or the spec itself.")
    ],
    on: Annotated[
        str | None,
        typer.Option(help="The machine to emulate: a name or a model file. [default: the natural one of the language]"),
    ] = None,
    seed: Annotated[str | None, typer.Option(help="The seed of the inputs, as a report prints it.")] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds that one size may take.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Run a kernel as it is on an emulated machine and report its defects; exit status 0 if clean, 1 if it has any."""
    from .porting.check import check
    from .terminal import check_lines

    try:
        number = None if seed is None else int(seed, 16)
    except ValueError:
        raise typer.BadParameter(f"expected a hexadecimal number, found {seed!r}", param_hint="--seed") from None
    if number is not None and number < 0:
        raise typer.BadParameter("expected no negative number", param_hint="--seed")
    report = check(file, on, seed=number, time_limit=time_limit)
    if as_json:
        typer.echo(json.dumps({"clean": report.clean, **report.model_dump(mode="json")}, indent=2))
    else:
        check_lines(report)
    raise typer.Exit(0 if report.clean else 1)


@app.command("replay")
def replay_command(
    file: Annotated[Path, typer.Argument(help="A port's report.json, or its folder.")],
    gate: Annotated[str | None, typer.Option(help="Compare the results of this gate only.")] = None,
    src: Annotated[str | None, typer.Option(help="The source machine's model file, where it is not built in.")] = None,
    dst: Annotated[str | None, typer.Option(help="The destination's model file, where it is not built in.")] = None,
    as_json: Json = False,
) -> None:
    """Repeat a report's run from the report alone; exit status 0 if every gate agrees, 1 if not.

    This runs the port and the reference's Python as they are in the report: replay only what you would run.
    """
    from .porting.replay import replay
    from .porting.report import load_report
    from .terminal import replay_lines

    found = replay(load_report(file), gate=gate, src=src, dst=dst)
    if as_json:
        typer.echo(json.dumps({"agrees": found.agrees, **found.model_dump(mode="json")}, indent=2))
    else:
        replay_lines(found)
    raise typer.Exit(0 if found.agrees else 1)


def _summary(report: PortReport, folder: Path | None) -> dict[str, Any]:
    data = report.model_dump(mode="json", exclude={"original", "ported", "wrapper", "replay"})
    data["folder"] = str(folder) if folder else None
    return data


@app.command("prompt")
def prompt_command(
    file: Annotated[Path, typer.Argument(help="A kernel's source, or its spec.")],
    src: Annotated[str, typer.Option(help="The machine that the kernel was written for.")],
    dst: Annotated[str, typer.Option(help="The destination.")],
    advice: Annotated[str, typer.Option(help="Advice of yours.")] = "",
    language: Annotated[str | None, typer.Option(help="The language to write, where there are several.")] = None,
    to: Annotated[
        str | None,
        typer.Option(help="Only what one of them is sent: 'source sage', 'target sage', 'supervisor', 'worker'."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what the swarm would send to a language model at its start, and how many tokens that is, about."""
    from .agents.prompts import all_prompts, situation_of, tokens
    from .hwmodels import load_machine
    from .porting.spec import Kernel
    from .porting.translate import read_kernel

    source = read_kernel(Kernel.load(file))
    prompts = all_prompts(situation_of(source, load_machine(src), load_machine(dst), advice, language))
    if to is not None and to not in prompts:
        raise typer.BadParameter(f"expected one of {', '.join(prompts)}, found {to!r}", param_hint="--to")
    asked = {who: messages for who, messages in prompts.items() if to in (None, who)}
    if as_json:
        typer.echo(json.dumps([{"to": w, "tokens": tokens(m), "messages": m} for w, m in asked.items()], indent=2))
        return
    for who, messages in asked.items():
        typer.echo(f"=== to the {who}, about {tokens(messages)} tokens\n")
        for message in messages:
            typer.echo(f"[{message['role']}]\n{message['content']}\n")


@app.command("mcp")
def mcp_command(
    root: Annotated[Path, typer.Option(help="Kernels and model files are read below this folder only.")] = Path(),
) -> None:
    """Serve machines, diff, port, check, verify, bench and prompt to agents, by MCP on standard input and output.

    Judging a kernel runs the Python that its spec names: whoever may write below the folder may run code.
    """
    from .agents.mcp_server import build_server

    build_server(root).run()


@app.command("doctor")
def doctor_command(as_json: Json = False) -> None:
    """List the backends: what each found here, or why it cannot run."""
    import dataclasses

    from .backends.doctor import doctor
    from .terminal import doctor_table

    found = doctor()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(a) for a in found], indent=2))
    else:
        doctor_table(found)


def _version(value: bool) -> None:
    if value:
        from . import __version__

        typer.echo(f"gpuport {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Port a GPU kernel from one device to another."""


def main() -> None:
    """Run the command; a user-facing error is one message on standard error and its exit status."""
    try:
        app()
    except GpuportError as error:
        if "--json" in sys.argv:
            print(json.dumps({"error": str(error), "kind": type(error).__name__}))
        print(f"gpuport: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        print("gpuport: interrupted", file=sys.stderr)
        sys.exit(130)
