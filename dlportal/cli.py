"""The command line: `python -m dlportal list|predict|explain|evaluate|train|fetch|bench|doctor`.

With `--json` a command prints one JSON document on stdout and nothing else. Exit codes: 0 done,
1 the work failed, 2 the call or the input was wrong (one line on stderr, no traceback).
Heavy modules are imported inside the commands, so that `list` answers at once.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import click

from dlportal.cards import Card, all_cards, load_card, show_value
from dlportal.messages import N_, InputError, UserError


class Commands(click.Group):
    """A group whose errors are one line and an exit code."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        try:
            code: Any = super().main(*args, standalone_mode=False, **extra)  # type: ignore[call-overload]
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = 2
        except click.ClickException as error:  # wrong option, missing argument
            code = complain(error.format_message(), 2)
        except InputError as error:
            code = complain(str(error), 2)
        except UserError as error:
            code = complain(str(error), 1)
        except (click.Abort, KeyboardInterrupt):
            code = complain("Stopped.", 1)
        except BrokenPipeError:  # `... | head`: nobody reads on
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            code = 0
        except Exception as error:
            if os.environ.get("DLPORTAL_DEBUG"):
                traceback.print_exc()
            hint = "" if os.environ.get("DLPORTAL_DEBUG") else " (DLPORTAL_DEBUG=1 shows where)"
            code = complain(f"{type(error).__name__}: {error}{hint}", 1)
        sys.exit(code if isinstance(code, int) else 0)


def complain(message: str, code: int) -> int:
    """Say what is wrong in one line on stderr; returns the exit code."""
    click.echo("dlportal: " + " ".join(message.split()), err=True)
    return code


class CaseId(click.ParamType):
    """A case's id, checked against the registry."""

    name = "case"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            load_card(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Meter:
    """A progress bar on stderr where that is a terminal; called with done and total."""

    def __init__(self, label: str, unit: str = "it", scale: bool = False) -> None:
        from tqdm import tqdm

        self.bar = tqdm(
            desc=label, unit=unit, unit_scale=scale, leave=False, disable=None, file=sys.stderr
        )

    def __call__(self, done: int, total: int) -> None:
        if total and self.bar.total != total:
            self.bar.reset(total)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *error: Any) -> None:
        self.bar.close()


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
seed_option = click.option("--seed", default=0, show_default=True, help="Random seed.")


def answer(document: Any, text: str, as_json: bool) -> None:
    """Print a document as JSON, or its text."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=1) if as_json else text)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=__import__("dlportal").__version__)
def main() -> None:
    """DL Portal: deep learning in practice, as cases that can be tried and checked."""


@main.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """All cases: id, domain, title, provenance, main metric."""
    rows = [describe(card) for card in all_cards().values()]
    lines = [
        f"{row['id']:<24} {row['domain']:<14} {row['title']:<34} {row['provenance']:<11} "
        f"{row['shown']}"
        for row in rows
    ]
    for row in rows:
        del row["shown"]
    answer(rows, "\n".join(lines), as_json)


def describe(card: Card) -> dict[str, Any]:
    """What `list` says of a case."""
    main_metric = card.main
    return {
        "id": card.id,
        "domain": card.domain,
        "title": card.title.en,
        "title_zh": card.title.zh,
        "provenance": card.provenance,
        "metric": main_metric.model_dump() if main_metric else None,
        "shown": f"{main_metric.key} {show_value(main_metric)}" if main_metric else "",
    }


@main.command()
@click.argument("case_id", metavar="CASE", type=CaseId())
@click.argument("inputs", metavar="INPUT...", nargs=-1)
@click.option("--lines", type=click.Path(path_type=Path), help="A file with one input a line.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the result (sound: .wav).")
@seed_option
@json_option
def predict(
    case_id: str,
    inputs: tuple[str, ...],
    lines: Path | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Predict files or literal texts; labs take settings as key=value."""
    from dlportal.commands.predict import predict_inputs, save_result, show_result
    from dlportal.results import to_json

    given = [*inputs, *(read_lines(lines) if lines else [])]
    answers = predict_inputs(case_id, given, seed)
    if out is not None:
        if len(answers) != 1:
            raise click.UsageError("--out takes the result of one input")
        save_result(answers[0][1], out)
    document = [
        {"case": case_id, "input": text, "result": to_json(result)} for text, result in answers
    ]
    # Lines always give a list; so do several inputs. One input gives one object.
    single = len(document) == 1 and lines is None
    named = len(answers) > 1
    text = "\n".join(
        (f"{name}\n" if named else "") + show_result(result) for name, result in answers
    )
    answer(document[0] if single else document, text, as_json)


def read_lines(path: Path) -> list[str]:
    """Non-empty lines of a UTF-8 file.

    Raises:
        InputError: Not readable, or not text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(N_("There is no readable UTF-8 text file {path}."), path=path) from None
    return [line for line in lines if line.strip()]


@main.command()
@click.argument("case_id", metavar="CASE", type=CaseId())
@click.argument("given", metavar="INPUT")
@click.option("--method", required=True, help="The explainer's name; a wrong one lists them.")
@click.option("--target", help="Label id or output index; the prediction by default.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the map here (.npy or .png).")
@click.option("--seconds", default=3.0, show_default=True, help="Time to measure faithfulness.")
@json_option
def explain(
    case_id: str,
    given: str,
    method: str,
    target: str | None,
    out: Path | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Attribute a prediction to its input, and measure how faithful the map is."""
    from dlportal.commands.explain import explain_input

    document, text = explain_input(case_id, given, method, target, out, seconds)
    answer(document, text, as_json)


@main.command()
@click.argument("case_id", metavar="CASE", type=CaseId())
@click.option("--data", type=click.Path(path_type=Path), help="Laid out like the case's dataset.")
@click.option("--split", default="test", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Measure on the first N only.")
@click.option("--write", is_flag=True, help="Write card.json (whole own test split only).")
@json_option
def evaluate(
    case_id: str, data: Path | None, split: str, limit: int | None, write: bool, as_json: bool
) -> None:
    """Measure a case on its own dataset, or on data laid out like it."""
    from dlportal.commands.evaluate import evaluate_case, summarise, table

    if write and (data is not None or limit is not None or split != "test"):
        raise click.UsageError("--write needs the whole test split: leave --data, --limit, --split")
    with Meter("evaluate") as meter:
        evaluation = evaluate_case(case_id, split, data, limit, meter)
    if write:
        from dlportal.training.recipe import write_card

        write_card(case_id, evaluation)
    answer(summarise(evaluation), table(evaluation), as_json)


@main.command()
@click.argument("case_id", metavar="CASE", type=CaseId())
@click.option("--budget", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@seed_option
@click.option(
    "--part",
    default="",
    help="What agents are trained for: a world's id; a full training keeps the other worlds' agents.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write here.")
@click.option("--events", type=click.Path(path_type=Path), help="Append progress as JSON lines.")
@click.option("--fresh", is_flag=True, help="Forget the checkpoint of an interrupted training.")
@click.option("--job", type=click.Path(path_type=Path, exists=True), hidden=True)
@json_option
def train(case_id: str, as_json: bool, **options: Any) -> int:
    """Train a case; a full budget writes models/CASE. Interrupt with Ctrl-C, repeat to go on."""
    stopped = None
    if options["job"] is not None:
        from dlportal.training.turn import take_turn

        stopped = take_turn(options["job"])
        if stopped is None:
            return 0
    # Imported after the waiting: torch is large.
    from dlportal.case import Settings
    from dlportal.commands.train import train_here, train_job

    settings = Settings(options["budget"], options["seed"], options["part"])
    if stopped is not None:
        return train_job(case_id, settings, options["job"], stopped)
    document, text, code = train_here(
        case_id, settings, options["out"], options["events"], options["fresh"]
    )
    answer(document, text, as_json)
    return code


@main.command(hidden=True)
@click.argument("case_id", metavar="CASE", type=CaseId())
def spare(case_id: str) -> int:
    """A server's process that is ready to train a case before anyone has asked for it."""
    from dlportal.training.spare import wait_for_job

    arguments = wait_for_job(case_id)
    return 0 if arguments is None else main(arguments)


@main.command()
@click.argument("case_ids", metavar="[CASE...]", nargs=-1, type=CaseId())
@click.option("--all", "everything", is_flag=True, help="Assets and datasets of all cases.")
@json_option
def fetch(case_ids: tuple[str, ...], everything: bool, as_json: bool) -> int:
    """Fetch the assets and datasets of cases into the cache."""
    from dlportal.commands.fetch import fetch_all

    if not case_ids and not everything:
        raise click.UsageError("name a case, or give --all")
    cards = all_cards()
    picked = list(cards.values()) if everything else [cards[case_id] for case_id in case_ids]
    rows = fetch_all(picked, lambda name: Meter(name, "B", scale=True))
    failed = [row for row in rows if row["error"]]
    lines = [f"{row['name']:<34} {row['error'] or row['path']}" for row in rows]
    answer(rows, "\n".join(lines), as_json)
    return 1 if failed else 0


@main.command()
@click.option("--suite", default="all", show_default=True, help="A wrong one lists them.")
@json_option
def bench(suite: str, as_json: bool) -> int:
    """Measure speed, memory and load; prints the machine, versions and ratios."""
    import dlportal.bench as suites

    started = time.monotonic()
    try:
        report = suites.run(suite)
    except ValueError as error:  # no such suite
        raise click.BadParameter(str(error), param_hint="--suite") from None
    document = {**report, "seconds": round(time.monotonic() - started, 1)}
    answer(document, suites.show(report), as_json)
    return 0 if report.get("passed", True) else 1


@main.command()
@json_option
def doctor(as_json: bool) -> int:
    """What is installed, reachable and cached; what to do about what is missing."""
    from dlportal.doctor import report

    found = report()
    answer(found.to_json(), found.to_text(), as_json)
    return 0 if found.ok else 1
