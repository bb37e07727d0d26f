"""`landkeeper deploy` and `destroy` on the embedded AWS: from nothing to a keeper at work, updated, gone, back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deployment import Deployment, go_through, make_deployment
from tests.servers import EMBEDDED_REGIONS

from landkeeper.embedded.simulators import Simulators

pytestmark = pytest.mark.embedded


@pytest.fixture
def deployment(no_aws: None, tmp_path: Path) -> Iterator[Deployment]:
    """Simulators of their own, so that nothing is there before."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        yield make_deployment(embedded, tmp_path / "broom.yaml")


def test_a_deployments_whole_life(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    go_through(deployment)
    shown = capsys.readouterr()
    assert "= adopt" in shown.err
    assert "Deleted permanently" in shown.err
    assert "Kept; the next landkeeper deploy --stack-name keeper adopts: " in shown.out
