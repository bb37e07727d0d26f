"""Files that people write, as YAML nodes with their lines.

What is missing, unknown, twice there or of the wrong type is noted, not raised, so that one look names everything.
Scalars are taken as they are written: `NO` is no boolean, and `0123` keeps its zero. JSON is YAML too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from landkeeper.org import UsageError


class Problem(NamedTuple):
    """Something wrong in a file, with the line it is on."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class DocumentError(UsageError):
    """A file that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{self.problems[0]}{more}")


def compose_document(text: str, file: str) -> yaml.Node | Problem:
    """The root node of the text; a Problem where it is no YAML, or empty. `file` is its name in messages."""
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Problem(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem}")
    except (yaml.YAMLError, RecursionError) as error:
        return Problem(file, 1, f"not YAML: {' '.join(str(error).split())}")
    return root or Problem(file, 1, "the file is empty")


@dataclass(frozen=True, slots=True)
class NodeReader:
    """Reads nodes of one file, and collects what is wrong with them."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def complain(self, node: yaml.Node, text: str) -> None:
        """Note a problem at the node's line."""
        self.problems.append(Problem(self.file, node.start_mark.line + 1, text))

    def complain_about_word(self, node: yaml.Node, what: str, word: str, known: Sequence[str]) -> str | None:
        """Note a word that is none of those known, and answer which one was probably meant."""
        import difflib  # noqa: PLC0415

        near = difflib.get_close_matches(word, known, n=1)
        meant = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(known)}"
        self.complain(node, f"{what} '{word}' is not known: {meant}")
        return near[0] if near else None

    def mapping(self, node: yaml.Node, what: str, known: Sequence[str]) -> Mapping | None:
        """The node as a mapping with known keys only, each once. None where it is no mapping."""
        if not isinstance(node, yaml.MappingNode):
            self.complain(node, f"{what} is {_kind(node)}: expected keys such as {', '.join(known[:3])}")
            return None
        found: dict[str, yaml.Node] = {}
        meant: set[str | None] = set()
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else _kind(key_node)
            if key not in known:
                meant.add(self.complain_about_word(key_node, f"in {what} the key", key, known))
            elif key in found:
                self.complain(key_node, f"{what} has {key} twice")
            else:
                found[key] = value
        return Mapping(self, node, what, found, frozenset(meant))

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The node as a list of at least one; empty, with a problem noted, where it is none."""
        if not isinstance(node, yaml.SequenceNode):
            self.complain(node, f"{what} is {_kind(node)}: expected a list")
            return []
        if not node.value:
            self.complain(node, f"{what} is an empty list: leave it out or put something in")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str | None:
        """The node as text that is not empty; None, with a problem noted, where it is not."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value)
        self.complain(node, f"{what} is {_kind(node)}: expected a word or a number")
        return None


class Mapping(NamedTuple):
    """A mapping whose keys are all known."""

    reader: NodeReader
    node: yaml.Node
    what: str
    nodes: dict[str, yaml.Node]
    meant: frozenset[str | None]
    """Keys that stand there misspelt: that is the problem, not that they are missing."""

    def get(self, key: str) -> yaml.Node | None:
        """The node under `key`, None where there is none."""
        return self.nodes.get(key)

    def required(self, key: str) -> yaml.Node | None:
        """The node under `key`; None, with a problem noted, where it is missing."""
        if key not in self.nodes and key not in self.meant:
            self.reader.complain(self.node, f"{self.what} has no {key}")
        return self.nodes.get(key)

    def required_text(self, key: str) -> str | None:
        """The text under `key`; None, with a problem noted, where it is missing or no text."""
        node = self.required(key)
        return self.reader.text(node, key) if node is not None else None

    def text(self, key: str) -> str | None:
        """The text under `key`; None where there is none, with a problem noted where it is no text."""
        node = self.nodes.get(key)
        return self.reader.text(node, key) if node is not None else None

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under `key`; empty where there is none."""
        node = self.nodes.get(key)
        items = self.reader.items(node, key) if node is not None else []
        return tuple(text for item in items if (text := self.reader.text(item, key)) is not None)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "text" if node.value else "empty"
