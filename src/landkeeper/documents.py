"""Files that people write, as YAML nodes with their lines.

What is missing, unknown, twice there or of the wrong type is noted, not raised, so that one look names everything.
Scalars are taken as they are written: `NO` is no boolean, and `0123` keeps its zero. JSON is YAML too.

A file may be long, deep and full of aliases only as far as reading it stays a matter of seconds: an alias counts as all
that it stands for, because whoever reads the nodes meets it that often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


MOST_CHARACTERS = 1024 * 1024
MOST_VALUES = 50_000
"""How many values a file may have, an alias counted as all that it stands for."""
DEEPEST = 64
_MOST_SUGGESTIONS = 20


class _LimitError(yaml.MarkedYAMLError):
    """A file that is YAML, and more of it than is read."""

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)


class _LimitedLoader(yaml.BaseLoader):
    """Composes nodes up to the limits. Raises _LimitError where they are reached, before there is more."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = 0
        self._depth = 0
        self._measures: dict[int, tuple[int, int]] = {}
        """By the id of each node that is whole: how many values it has, and how deep it is."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node."""
        event = self.peek_event()  # type: ignore[no-untyped-call] # of the parser, which has no types
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            node = super().compose_node(parent, index)
            measure = self._measures.get(id(node))
            if measure is None:
                raise _LimitError("an alias stands inside what it stands for", mark)
            self._count(measure[0], measure[1], mark)
            return node
        self._count(1, 1, mark)
        self._depth += 1
        before = self._values
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode):
            node.value = _join_surrogates(node.value, mark)
        height = 1 + max((self._measures[id(child)][1] for child in _children(node)), default=0)
        self._measures[id(node)] = (1 + self._values - before, height)
        return node

    def _count(self, values: int, height: int, mark: yaml.Mark) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise _LimitError(f"more than {MOST_VALUES:,} values, an alias counted as all that it stands for", mark)
        if self._depth + height > DEEPEST:
            raise _LimitError(f"nested more than {DEEPEST} deep", mark)


def _children(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _join_surrogates(text: str, mark: yaml.Mark) -> str:
    """Return the text with the pairs joined as which JSON may write a character."""
    try:
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise _LimitError("half of a pair of surrogates stands for no character", mark) from None


def compose_document(text: str, file: str) -> yaml.Node | Problem:
    """The root node of the text; a Problem where it is no YAML, empty, or above the limits.

    `file` is its name in messages.
    """
    if len(text) > MOST_CHARACTERS:
        return Problem(file, 1, f"the file has more than {MOST_CHARACTERS:,} characters")
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_LimitedLoader)
    except _LimitError as error:
        return Problem(file, error.problem_mark.line + 1 if error.problem_mark else 1, str(error.problem))
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

        near = difflib.get_close_matches(word, known, n=1) if len(self.problems) < _MOST_SUGGESTIONS else []
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
