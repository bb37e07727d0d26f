"""`landkeeper completion`: the script with which a shell completes commands, options, ids and names."""

from __future__ import annotations

import click

from landkeeper.cli.terminal import say_text

_INSTALL = {
    "bash": "echo 'eval \"$(landkeeper completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(landkeeper completion zsh)\"' >> ~/.zshrc",
    "fish": "landkeeper completion fish > ~/.config/fish/completions/landkeeper.fish",
}
"""The line that installs it, by shell."""


@click.command(name="completion")
@click.argument("shell", type=click.Choice(list(_INSTALL)))
def command(shell: str) -> int:
    """Print the completion script for a shell.

    Install it with the line for your shell, then open a new shell:

    \b
    bash  echo 'eval "$(landkeeper completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(landkeeper completion zsh)"' >> ~/.zshrc
    fish  landkeeper completion fish > ~/.config/fish/completions/landkeeper.fish

    It completes commands, options, ids and names. Ids and names come from the local file (--file, LANDKEEPER_FILE or
    landkeeper.db), profiles from ~/.aws/config. It never calls AWS, so ids in a DynamoDB table are not completed.
    """
    from click.shell_completion import get_completion_class

    from landkeeper.cli.root import root

    made_by = get_completion_class(shell)
    assert made_by is not None  # noqa: S101 - click has these three
    script = made_by(root, {}, "landkeeper", "_LANDKEEPER_COMPLETE").source()
    head = f"# To install it: {_INSTALL[shell]}\n"
    # zsh goes by the first line of a script that it finds in its own folders.
    first, _, rest = script.partition("\n")
    say_text(f"{first}\n{head}{rest}" if first.startswith("#compdef") else head + script)
    return 0
