"""What shells complete: ids and names from the file, profiles from AWS's own configuration. AWS is never called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from landkeeper.embedded.stored_words import Kind, Word, read_words

_DEFAULT_FILE = "landkeeper.db"
_CONFIG, _CREDENTIALS = "~/.aws/config", "~/.aws/credentials"


def find_words(
    kinds: Sequence[Kind],
    beginning: str,
    environ: Mapping[str, str],
    *,
    file: Path | None,
    table: str | None,
    table_variable: str,
) -> list[Word]:
    """Those in the file that the flags or the environment name; none where that is a table, or there is no such file.

    `table_variable` is the variable that stands for the flag of the table.
    """
    if file is None and (table or environ.get(table_variable)):
        return []
    path = file or Path(environ.get("LANDKEEPER_FILE") or _DEFAULT_FILE)
    return read_words(path, kinds, beginning) if path.is_file() else []


def find_profiles(beginning: str, environ: Mapping[str, str]) -> list[Word]:
    """The profiles of the AWS CLI's two files that begin so.

    Source: AWS CLI User Guide, "Configuration and credential file settings".
    """
    named = {
        section.removeprefix("profile ").strip()
        for section in _sections(environ.get("AWS_CONFIG_FILE") or _CONFIG)
        if section == "default" or section.startswith("profile ")
    }
    named.update(_sections(environ.get("AWS_SHARED_CREDENTIALS_FILE") or _CREDENTIALS))
    return [(name, "") for name in sorted(named) if name.startswith(beginning)]


def _sections(file: str) -> list[str]:
    from configparser import RawConfigParser

    # A file of AWS's may have a section twice, and what is in one does not matter here.
    parser = RawConfigParser(strict=False, default_section="", allow_no_value=True)
    parser.read(Path(file).expanduser(), encoding="utf-8")
    return parser.sections()
