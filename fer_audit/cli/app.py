"""The command group, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click
from click.exceptions import NoSuchCommand

from fer_audit import __version__
from fer_audit.cli.console import plain_warnings
from fer_audit.cli.output import say
from fer_audit.cli.settings import settings_from_files, unknown_variables
from fer_audit.cli.signals import INTERRUPTED, signal_messages
from fer_audit.errors import FerAuditError, StoreError

COMMANDS = {
    "run": ("fer_audit.cli.run", "Audit a dataset: everything, resumes where it stopped."),
    "inspect": ("fer_audit.cli.datasets", "Say what would be read, without opening an image."),
    "datasets": ("fer_audit.cli.datasets", "List the layouts of datasets that are read."),
    "export": ("fer_audit.cli.models", "Build a model's ONNX file once."),
    "models": ("fer_audit.cli.models", "List the models, their weights and licences."),
    "embed": ("fer_audit.cli.run", "Only decode and embed."),
    "cluster": ("fer_audit.cli.run", "Embed and cluster."),
    "audit": ("fer_audit.cli.run", "Embed, cluster and audit, without showing the report."),
    "report": ("fer_audit.cli.report", "Show a finished run again."),
    "explain": ("fer_audit.cli.report", "Show one claim's evidence."),
    "compare": ("fer_audit.cli.compare", "Show what changed between two runs."),
    "gate": ("fer_audit.cli.gate", "Judge a finished run by rules; for CI."),
    "lists": ("fer_audit.cli.lists", "Say which files to correct, drop or look at."),
    "balance": ("fer_audit.cli.balance", "Make a balanced subset, or a plan of what to collect."),
    "split": ("fer_audit.cli.split", "Split a set so that its parts share no person or photo."),
    "card": ("fer_audit.cli.report", "Write a finished run as a dataset card."),
    "purge": ("fer_audit.cli.purge", "Remove the pixels, vectors and pictures of a run."),
    "bench": ("fer_audit.cli.bench", "Measure this machine: each stage, and a whole run."),
    "doctor": ("fer_audit.cli.models", "Check this machine: versions, providers, disk, models."),
}
"""Verb -> (module that holds it, one line). Modules load when their verb is called."""

_RENAMED = {"export-card": "card"}
"""Verbs by their old names: still taken, no longer shown."""

_COMPLETE = "_FER_AUDIT_COMPLETE"
"""The variable by which a shell asks what a half-typed command can go on with."""

_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a write to stdout raises when it is a file on a full or failing disk."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb of a command line; UsageError names the nearest one where there is none."""
        verb, *rest = args
        try:
            return super().resolve_command(ctx, [_RENAMED.get(verb, verb), *rest])
        except NoSuchCommand:  # click looks for the nearest in `commands`, which is empty
            raise NoSuchCommand(verb, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FER_AUDIT"},
    epilog="Exit codes: 0 done; 1 done, and a --fail-on rule was crossed; 2 usage, config, provider or model error; 3 no usable input or no disk; "
    "4 done, with more failed images than --max-errors or a folder that could not be read; 5 the run directory is locked; 129, 130 and 143 ended by a signal.",
)
@click.version_option(__version__, "-V", "--version", prog_name="fer-audit")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Audit face datasets: who is in them, and whether a latent space sorts people.

    \b
    Examples:
      fer-audit run                      the built-in demo set
      fer-audit run path/to/UTKFace      a folder of labelled faces
      fer-audit run faces.csv --k 8      any table of files and labels

    Every option can also stand in fer-audit.toml, in [tool.fer-audit] of pyproject.toml, or in the
    environment, e.g. FER_AUDIT_RUN_K=8. Flags win over the environment, the environment over files.
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    ctx.default_map = settings_from_files(COMMANDS)
    for line in unknown_variables(os.environ, cli, ctx):
        say(f"fer-audit: {line}")


def main() -> NoReturn:
    """Run the command line and exit with the documented code."""
    if question := os.environ.get(_COMPLETE):  # click asks for it in cli.main() only
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, "fer-audit", _COMPLETE, question))
    with signal_messages() as print_interrupted:
        code = _invoke(print_interrupted)
    sys.exit(code)


def _invoke(print_interrupted: Callable[[], None]) -> int:
    try:
        # not cli.main(): it turns a broken pipe into exit 1, which would say that a rule was crossed
        with (
            cli.make_context("fer-audit", sys.argv[1:]) as ctx,
            plain_warnings(lambda text: say(f"fer-audit: {text}")),
        ):
            code = cli.invoke(ctx)
        if sys.stdout is not None:  # it is None when the shell closed it
            sys.stdout.flush()
    except click.exceptions.Exit as exc:
        code = exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        print_interrupted()
        code = INTERRUPTED
    except click.ClickException as exc:
        words = io.StringIO()
        exc.show(file=words)
        for line in words.getvalue().rstrip("\n").split("\n"):
            say(line)  # escaped: it quotes the command line as it is
        code = exc.exit_code
    except FerAuditError as exc:
        first, *quoted = str(exc).split("\n    ")  # only indented lines are lines of their own
        for line in (f"fer-audit: {first}", *(f"    {each}" for each in quoted)):
            say(line)
        if exc.hint:
            say(f"  {exc.hint}")
        code = exc.exit_code
    except BrokenPipeError:
        code = _discard_output()
    except OSError as exc:
        if exc.errno not in _CANNOT_WRITE:
            raise
        _discard_output()
        say(f"fer-audit: Cannot write the output: {exc.strerror}")
        code = StoreError.exit_code
    return code if isinstance(code, int) else 0


def _discard_output() -> int:
    """Send the rest of stdout to /dev/null; a reader that went away is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
