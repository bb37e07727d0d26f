"""Reading `landkeeper.yaml`, with every problem named by its line. `landkeeper.schema.json` is the same for editors."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import yaml

from landkeeper.documents import DocumentError, Mapping, NodeReader, Problem, compose_document
from landkeeper.org import AccountId, Region, UsageError, parse_account_id, parse_region
from landkeeper.vpctracker.cidr import Block, MalformedBlockError, parse_block
from landkeeper.vpctracker.config import (
    DEFAULT_SPACE,
    SHARED_ADDRESS_SPACE,
    Connection,
    DeclaredAccount,
    Discovery,
    Governed,
    Notices,
    Space,
    TrackerConfig,
)

_T = TypeVar("_T")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_ORGANIZATIONAL_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOOKS_LIKE_ID = re.compile(r"ou-.*")


class ConfigError(DocumentError):
    """A configuration that cannot be used, with everything that is wrong with it."""


def read_schema() -> Any:
    """The JSON Schema of the file, as it is published."""
    import json  # noqa: PLC0415
    from importlib.resources import files  # noqa: PLC0415

    return json.loads(files("landkeeper.vpctracker").joinpath("landkeeper.schema.json").read_text(encoding="utf-8"))


def parse_config(text: str, file: str) -> TrackerConfig:
    """The configuration that `text` holds; `file` is its name in messages. Raises ConfigError with all problems."""
    root = compose_document(text, file)
    if isinstance(root, Problem):
        raise ConfigError([root])
    nodes = NodeReader(file)
    config = _ConfigReader(nodes).read(root)
    if nodes.problems or config is None:
        raise ConfigError(nodes.problems)
    return config


@dataclass(frozen=True, slots=True)
class _ConfigReader:
    """Turns nodes into the configuration's parts; None stands for a part whose problem has been noted."""

    nodes: NodeReader
    names: set[str] = field(default_factory=set)
    """Of the spaces so far."""
    homes: dict[str, str] = field(default_factory=dict)
    """Of the accounts so far: which space has each."""
    declared: set[AccountId] = field(default_factory=set)
    """The declared accounts so far."""

    def read(self, root: yaml.Node) -> TrackerConfig | None:
        known = ("version", "spaces", "connections", "governed", "discovery", "declared_accounts", "notices")
        top = self.nodes.mapping(root, "the configuration", known)
        if top is None:
            return None
        version = top.required_text("version")
        if version not in {"1", None}:
            self.nodes.complain(top.nodes["version"], f"version is '{version}': 1 is the only one there is")
        return TrackerConfig(
            spaces=self._each(top, "spaces", self._space),
            connections=self._each(top, "connections", self._connection),
            governed=self._governed(top.get("governed")),
            discovery=self._discovery(top.get("discovery")),
            declared_accounts=self._each(top, "declared_accounts", self._declared_account),
            notices=self._notices(top.get("notices")),
        )

    def _each(self, fields: Mapping, key: str, read: Callable[[yaml.Node], _T | None]) -> tuple[_T, ...]:
        node = fields.get(key)
        items = self.nodes.items(node, key) if node is not None else []
        return tuple(part for item in items if (part := read(item)) is not None)

    def _space(self, node: yaml.Node) -> Space | None:
        fields = self.nodes.mapping(node, "a space", ("name", "accounts", "tags", "repeated"))
        if fields is None:
            return None
        name = fields.required_text("name")
        if name in self.names:
            self.nodes.complain(fields.nodes["name"], f"there is another space named '{name}'")
        if name is None:
            return None
        self.names.add(name)
        accounts = self._each(fields, "accounts", lambda account: self._member(account, name))
        tags = self._tags(fields.get("tags"))
        self._check_members(fields, name)
        return Space(name, accounts, tags, self._repeated(fields.get("repeated")))

    def _check_members(self, fields: Mapping, name: str) -> None:
        has_members = fields.get("accounts") is not None or fields.get("tags") is not None
        if name == DEFAULT_SPACE and has_members:
            self.nodes.complain(fields.node, "the space default contains all remaining VPCs: it cannot list members")
        elif name != DEFAULT_SPACE and not has_members and not {"accounts", "tags"} & fields.meant:
            self.nodes.complain(fields.node, f"the space '{name}' has neither accounts nor tags, so it is empty")

    def _member(self, node: yaml.Node, space: str) -> str | None:
        account = self._account_or_name(node, "an account")
        if account is None:
            return None
        home = self.homes.setdefault(account, space)
        if home != space:
            self.nodes.complain(node, f"the account {account} is in the space '{home}' already")
        return account

    def _account_or_name(self, node: yaml.Node, what: str) -> str | None:
        text = self.nodes.text(node, what)
        if text is not None and text.isdecimal():
            return self._account(node)
        return text

    def _account(self, node: yaml.Node) -> AccountId | None:
        return self._parsed(node, "an account", parse_account_id)

    def _region(self, node: yaml.Node) -> Region | None:
        return self._parsed(node, "a region", parse_region)

    def _parsed(self, node: yaml.Node, what: str, parse: Callable[[str], _T]) -> _T | None:
        text = self.nodes.text(node, what)
        if text is None:
            return None
        try:
            return parse(text)
        except (UsageError, MalformedBlockError) as error:
            self.nodes.complain(node, str(error))
            return None

    def _tags(self, node: yaml.Node | None) -> dict[str, str]:
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.nodes.complain(node, "tags takes keys with their values, as in Network: isolated")
            return {}
        tags: dict[str, str] = {}
        for key_node, value_node in node.value:
            key, value = self.nodes.text(key_node, "a tag"), self.nodes.text(value_node, "the value of a tag")
            if key in tags:
                self.nodes.complain(key_node, f"tags has {key} twice")
            if key is not None and value is not None:
                tags[key] = value
        return tags

    def _repeated(self, node: yaml.Node | None) -> tuple[Block, ...]:
        if node is None:
            return (SHARED_ADDRESS_SPACE,)
        if isinstance(node, yaml.SequenceNode) and not node.value:
            # Said on purpose: here not even the shared address space may repeat.
            return ()
        found = (self._parsed(declared, "a block", parse_block) for declared in self.nodes.items(node, "repeated"))
        return tuple(block for block in found if block is not None)

    def _connection(self, node: yaml.Node) -> Connection | None:
        fields = self.nodes.mapping(node, "a connection", ("from", "to"))
        if fields is None:
            return None
        ends = [self._account_or_name(end, key) for key in ("from", "to") if (end := fields.required(key)) is not None]
        if len(ends) < 2 or ends[0] is None or ends[1] is None:
            return None
        if ends[0] == ends[1]:
            self.nodes.complain(node, f"the connection leads from {ends[0]} to itself")
        return Connection(ends[0], ends[1])

    def _governed(self, node: yaml.Node | None) -> tuple[Governed, ...]:
        if node is None:
            return ()
        items = self.nodes.items(node, "governed") if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(regions for item in items if (regions := self._governed_regions(item)) is not None)

    def _governed_regions(self, node: yaml.Node) -> Governed | None:
        fields = self.nodes.mapping(node, "governed", ("regions", "accounts"))
        if fields is None:
            return None
        fields.required("regions")
        return Governed(self._each(fields, "regions", self._region), self._each(fields, "accounts", self._account))

    def _discovery(self, node: yaml.Node | None) -> Discovery:
        known = ("include_ous", "skip_ous", "skip_accounts")
        fields = self.nodes.mapping(node, "discovery", known) if node is not None else None
        if fields is None:
            return Discovery()
        return Discovery(
            self._each(fields, "include_ous", self._organizational_unit),
            self._each(fields, "skip_ous", self._organizational_unit),
            self._each(fields, "skip_accounts", self._account),
        )

    def _organizational_unit(self, node: yaml.Node) -> str | None:
        text = self.nodes.text(node, "an organizational unit")
        if text is None:
            return None
        if _LOOKS_LIKE_ID.fullmatch(text) and not _ORGANIZATIONAL_UNIT_ID.fullmatch(text):
            self.nodes.complain(node, f"'{text}' is not an id such as ou-ab12-cdefgh34; a path is like Workloads/Prod")
            return None
        return text.strip("/")

    def _declared_account(self, node: yaml.Node) -> DeclaredAccount | None:
        fields = self.nodes.mapping(node, "a declared account", ("account", "blocks", "owner", "expires"))
        if fields is None:
            return None
        account = self._account(at) if (at := fields.required("account")) is not None else None
        blocks = self._blocks(at) if (at := fields.required("blocks")) is not None else ()
        owner = fields.required_text("owner")
        expires = self._date(at) if (at := fields.required("expires")) is not None else None
        if account is None or owner is None or expires is None:
            return None
        if account in self.declared:
            self.nodes.complain(node, f"the account {account} is declared twice")
        self.declared.add(account)
        return DeclaredAccount(account, blocks, owner, expires)

    def _blocks(self, node: yaml.Node) -> tuple[Block, ...]:
        """The blocks of a list, which may be empty: an account is known to use none."""
        if isinstance(node, yaml.SequenceNode) and not node.value:
            return ()
        found = (self._parsed(block, "a block", parse_block) for block in self.nodes.items(node, "blocks"))
        return tuple(block for block in found if block is not None)

    def _date(self, node: yaml.Node) -> date | None:
        text = self.nodes.text(node, "expires")
        if text is None:
            return None
        if _DATE.fullmatch(text):
            with suppress(ValueError):
                return date.fromisoformat(text)
        self.nodes.complain(node, f"expires is '{text}': expected a date such as 2030-12-31")
        return None

    def _notices(self, node: yaml.Node | None) -> Notices:
        fields = self.nodes.mapping(node, "notices", ("unreadable_runs",)) if node is not None else None
        text = fields.text("unreadable_runs") if fields is not None else None
        if fields is None or text is None:
            return Notices()
        if not _COUNT.fullmatch(text):
            self.nodes.complain(
                fields.nodes["unreadable_runs"], f"unreadable_runs is '{text}': expected a whole number from 1"
            )
            return Notices()
        return Notices(int(text))
