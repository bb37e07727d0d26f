"""`landkeeper config check` and `schema`: what is wrong with `landkeeper.yaml`, and what may be in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from landkeeper.cli.exit_codes import DONE, USAGE
from landkeeper.cli.findings import CheckedFile, Finding, broken_file, print_checked
from landkeeper.cli.output import Format, print_json
from landkeeper.cli.vpc.unread import expiry_remarks
from landkeeper.org import UsageError, counted
from landkeeper.settings import read_settings
from landkeeper.vpctracker.config_file import ConfigError, read_schema
from landkeeper.wiring.config import DEFAULT_CONFIG, find_config, read_config

if TYPE_CHECKING:
    from landkeeper.vpctracker.config import TrackerConfig


def run_check(file: str | None, format_: Format) -> int:
    """Validate a configuration file and print a summary, or every error in it."""
    settings = read_settings(os.environ).with_config(file)
    where = find_config(settings)
    if where is None:
        raise UsageError(f"the file '{DEFAULT_CONFIG}' does not exist, and LANDKEEPER_CONFIG is not set")
    try:
        config = read_config(settings)
    except ConfigError as error:
        print_checked([broken_file(where, error.problems)], format_)
        return USAGE
    expired = tuple(Finding(where, None, "warning", sentence) for sentence in expiry_remarks(config))
    print_checked([CheckedFile(where, _told(config), _contents(config), expired)], format_)
    return DONE


def run_schema() -> int:
    """Print the JSON Schema of landkeeper.yaml, for editors."""
    print_json(read_schema())
    return DONE


def _contents(config: TrackerConfig) -> dict[str, object]:
    return {
        "Spaces": [space.name for space in config.spaces],
        "Connections": len(config.connections),
        "GovernedRegions": sorted({region for governed in config.governed for region in governed.regions}),
        "DeclaredAccounts": sorted(known.account for known in config.declared_accounts),
    }


def _told(config: TrackerConfig) -> str:
    names = ", ".join(space.name for space in config.spaces)
    regions = {region for governed in config.governed for region in governed.regions}
    discovery = config.discovery
    parts = [
        f"{counted(len(config.spaces), 'space')} ({names})" if config.spaces else "one space for all VPCs",
        counted(len(config.connections), "declared connection"),
        counted(len(regions), "governed region"),
        *_told_of("only", discovery.include_ous),
        *_told_of("skips", (*discovery.skip_ous, *discovery.skip_accounts)),
        *([counted(len(config.declared_accounts), "declared account")] if config.declared_accounts else []),
        f"notice after {counted(config.notices.unreadable_runs, 'unreadable run')}",
    ]
    return ", ".join(parts)


def _told_of(verb: str, names: tuple[str, ...]) -> list[str]:
    return [f"{verb} {', '.join(names)}"] if names else []
