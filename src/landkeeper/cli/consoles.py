"""Rich's console, through which nobody's text steers the terminal either."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from landkeeper.cli.terminal import harmless


class HarmlessConsole(Console):
    """A console that escapes what a renderable says, and leaves alone what Rich itself adds: styles and movements."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is shown of the renderable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)
