"""Every command and option that the README and the pages under `docs` name exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.docs.pages import PAGES, ROOT, inline, invocations

from landkeeper.cli.root import root

FOREIGN = {"--query", "--recursive"}
"""Options of other programs that stand in the prose by themselves."""


def command_of(words: list[str]) -> tuple[click.Command, str, str | None]:
    """Return the command that these words name, its name in full, and the word that names none, if there is one."""
    command: click.Command = root
    name = ["landkeeper"]
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("-"):
            break
        found = command.get_command(click.Context(command), word)
        if found is None:
            return command, " ".join(name), word
        command = found
        name.append(word)
    return command, " ".join(name), None


def options_of(command: click.Command) -> set[str]:
    """Return the options of a command, its help among them."""
    parameters = command.get_params(click.Context(command))
    return {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}


def every_command(command: click.Command = root) -> Iterator[click.Command]:
    """Yield the command and all below it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below)


def words_of(invocation: str) -> list[str]:
    """Return the words of one command, without what the shell makes of the rest and without signs around them."""
    own = re.split(r"\s(?:#|>|\||&&|;)|;", invocation)[0]
    words = (word.strip("[](),.'\"") for word in own.split())
    return [word for word in words if word]


def problems_of(invocation: str) -> list[str]:
    """Return what is wrong with an invocation: a command that does not exist, or options that it does not have."""
    words = words_of(invocation)
    command, name, rest = command_of(words)
    if rest is not None:
        return [f"{name} has no command {rest}"]
    used = {word.partition("=")[0] for word in words if re.match(r"--[a-z]|-[A-Za-z]$", word)}
    return [f"{name} has no {option}" for option in sorted(used - options_of(command))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists_and_has_its_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [problem for invocation in invocations(text) for problem in problems_of(invocation)] == []


def test_there_are_commands_in_the_pages() -> None:
    found = {page: len(list(invocations(page.read_text(encoding="utf-8")))) for page in PAGES}
    assert found[ROOT / "README.md"] > 5
    assert sum(found.values()) > 80


def test_every_option_that_stands_by_itself_belongs_to_some_command() -> None:
    known = {option for command in every_command() for option in options_of(command)}
    named = {
        (page.name, match[0])
        for page in PAGES
        for span in inline(page.read_text(encoding="utf-8"))
        if (match := re.match(r"--[a-z][a-z-]*", span))
    }
    assert len(named) > 40
    assert {(page, option) for page, option in named if option not in known | FOREIGN} == set()


@pytest.mark.parametrize(
    ("invocation", "problem"),
    [
        ("vpc tracks --org", "landkeeper vpc has no command tracks"),
        ("broom policies check broom.yaml", "landkeeper broom has no command policies"),
        ("vpc overlaps --all-pairs --limit 3", "landkeeper vpc overlaps has no --all-pairs"),
        ("cost [--account 3]  # a comment with --words", "landkeeper cost has no --account"),
    ],
)
def test_a_name_that_does_not_exist_is_found(invocation: str, problem: str) -> None:
    assert problems_of(invocation) == [problem]
