"""The simulators: up inside the context, gone after it."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from landkeeper.embedded.simulators import Embedded, SimulatorError, Simulators, embedded_session

pytestmark = pytest.mark.embedded


def _alive(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists() if Path("/proc").exists() else _signalled(process_id)


def _signalled(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_left_running_or_lying_about() -> None:
    with Simulators() as running:
        assert len(running.process_ids) == 2
        assert all(_alive(process_id) for process_id in running.process_ids)
    assert not any(_alive(process_id) for process_id in running.process_ids)
    assert not running.directory.exists()


def test_a_simulator_that_does_not_start_is_named_and_the_other_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ministack.py").write_text("raise SystemExit('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SimulatorError, match=r"ministack did not start.*broken on purpose"), Simulators():
        pass
    assert not list(tmp_path.glob("landkeeper-*"))


def test_they_listen_on_loopback_and_answer_for_their_services(aws_environment: Embedded) -> None:
    session: boto3.Session = embedded_session(aws_environment)
    assert aws_environment.moto_url.startswith("http://127.0.0.1:")
    assert aws_environment.ministack_url.startswith("http://127.0.0.1:")
    assert session.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert "Buckets" in session.client("s3").list_buckets()


def test_what_the_shell_has_set_for_aws_does_not_reach_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with Simulators() as running:
        environment = Path(f"/proc/{running.process_ids[0]}/environ")
        if not environment.exists():
            pytest.skip("needs /proc to look into a process")
        assert b"production" not in environment.read_bytes()
        assert b"AWS_ENDPOINT_URL_S3" not in environment.read_bytes()
