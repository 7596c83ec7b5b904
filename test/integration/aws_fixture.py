"""The fixture `aws`: a fake AWS whose server has no bugs of its own to report.

A test file asks for it by `from aws_fixture import aws  # noqa: F401`.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "servers"))

from aws.server import Aws  # noqa: E402


@pytest.fixture
def aws():
    with Aws(region="eu-west-1") as running:
        yield running
    assert running.errors == []
