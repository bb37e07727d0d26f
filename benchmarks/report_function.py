"""Measure the function that keeps the report, as Lambda runs it, on tables of a large organization.

`python -m benchmarks.report_function [--vpcs 10000]`. AWS's runtime client runs the package that `landkeeper deploy`
makes against the embedded AWS: a cold start that publishes notices and writes the report, with the memory that the
template gives and, where this can be limited, the share of a processor that this memory buys.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import botocore.session
from tests.lambda_runtime import Invocation, Limits, find_cpu_limit_obstacle, sandbox, share_of
from tests.ledger_tables import create_ledger_table
from tests.packaged_broom import unpack_package
from tests.report.stored import keep

from benchmarks.landscape import make_report_input
from benchmarks.results import write_results
from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.embedded.simulators import HOME_ACCOUNT, HOME_REGION, Simulators
from landkeeper.operate.cost.stack_facts import read_stack_facts

HANDLER = "landkeeper.lambdas.tracker.handler"
_ACCOUNTS, _VPCS = 500, 10_000
_SMALL_ACCOUNTS, _SMALL_VPCS = 100, 510


def _fill(accounts: int, vpcs: int) -> Mapping[str, str]:
    """Create tables with the organization in them, and a bucket; return the settings that name them."""
    home = botocore.session.Session()
    home.set_credentials(HOME_ACCOUNT, "embedded")
    sessions = AccountSessions(home, region=HOME_REGION)
    client, name = sessions.home("dynamodb"), f"bench-{uuid.uuid4().hex[:8]}"
    create_tables(client, name)
    create_ledger_table(client, f"{name}-cases")
    ledger = LedgerTable(client, f"{name}-cases")
    keep(make_report_input(vpcs, accounts), VpcTable(client, name), PoolTable(client, name), ledger)
    sessions.home("s3").create_bucket(Bucket=name)
    return {
        "LANDKEEPER_VPC_TABLE": name,
        "LANDKEEPER_TOPIC_ARN": sessions.home("sns").create_topic(Name=name)["TopicArn"],
        "LANDKEEPER_LEDGER_TABLE": f"{name}-cases",
        "LANDKEEPER_REPORT_BUCKET": name,
    }


def _run_cold(code: Path, environment: Mapping[str, str], directory: Path, limits: Limits) -> Invocation:
    with sandbox(code, HANDLER, environment, directory, limits) as function:
        done = function.invoke({"task": "notices"})
        if done.is_error:
            raise SystemExit(f"{HANDLER}: {done.answer}: {function.log()[-1000:]}")
        return done


def run(vpcs: int = _VPCS) -> None:
    """Measure, and write the results to RESULTS.md."""
    memory_mb = read_stack_facts().memory_mb["NoticesFunction"]
    share = None if find_cpu_limit_obstacle() else share_of(memory_mb)
    limits = Limits(memory_mb=memory_mb, timeout_seconds=300, cpu_share=share)
    rows = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = {**stack.enter_context(Simulators()).environment()}
        stack.enter_context(patch.dict(os.environ, environment))
        code = unpack_package(directory)
        cpu = {}
        for accounts, count in ((_SMALL_ACCOUNTS, _SMALL_VPCS), (_ACCOUNTS, vpcs)):
            settings = {**environment, **_fill(accounts, count)}
            # The first tells what there is to tell; what is measured is one that comes after.
            _run_cold(code, settings, directory, limits)
            made = _run_cold(code, settings, directory, limits)
            cpu[count] = made.cpu_seconds
            of = f"{count:,} VPCs in {accounts} accounts"
            rows += [
                (f"{of}, cold start, CPU", f"{1000 * made.cpu_seconds:,.0f} ms"),
                (f"{of}, cold start, in {memory_mb} MB", f"{made.seconds:.1f} s"),
                (f"{of}, peak memory", f"{made.peak_mb:.0f} MB"),
            ]
    per_vpc = 1000 * (cpu[vpcs] - cpu[_SMALL_VPCS]) / (vpcs - _SMALL_VPCS)
    rows.append(("CPU per VPC", f"{per_vpc:.2f} ms"))
    rows.append(("share of a processor", "all of it" if share is None else f"{share:.2f}"))
    write_results("report function", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vpcs", type=int, default=_VPCS)
    run(parser.parse_args().vpcs)
    sys.exit(0)
