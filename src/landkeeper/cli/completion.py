"""`landkeeper completion`: the script with which a shell completes commands, options, ids and names."""

from __future__ import annotations

import click

_INSTALL = {
    "bash": "echo 'eval \"$(landkeeper completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(landkeeper completion zsh)\"' >> ~/.zshrc",
    "fish": "landkeeper completion fish > ~/.config/fish/completions/landkeeper.fish",
}
"""The line that installs it, by shell."""


@click.command(name="completion")
@click.argument("shell", type=click.Choice(list(_INSTALL)))
def command(shell: str) -> int:
    """Print the script that completes commands, options, ids and names with the Tab key.

    Install it with the line for your shell, then open a new shell:

    \b
    bash  echo 'eval "$(landkeeper completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(landkeeper completion zsh)"' >> ~/.zshrc
    fish  landkeeper completion fish > ~/.config/fish/completions/landkeeper.fish

    Ids and names come from the file of --file or LANDKEEPER_FILE, else landkeeper.db, and profiles from ~/.aws/config.
    AWS is never called. For what is in a table only commands, options and profiles are completed.
    """
    from click.shell_completion import get_completion_class

    from landkeeper.cli.root import root

    made_by = get_completion_class(shell)
    assert made_by is not None  # noqa: S101 - click has these three
    script = made_by(root, {}, "landkeeper", "_LANDKEEPER_COMPLETE").source()
    head = f"# To install it: {_INSTALL[shell]}\n"
    # zsh goes by the first line of a script that it finds in its own folders.
    first, _, rest = script.partition("\n")
    click.echo(f"{first}\n{head}{rest}" if first.startswith("#compdef") else head + script, nl=False)
    return 0
