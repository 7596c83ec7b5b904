"""What --help says, the manual page says."""

import re

import pytest
from program import program_path


@pytest.fixture(scope="module")
def page():
    return (program_path().parent / "vecferry.1").read_text(encoding="utf-8")


@pytest.fixture
def commands(vecferry):
    """The commands that people use; `embed` is the worker's."""
    listed = re.findall(r"^  ([a-z]+) +\S", vecferry("--help").stdout, re.MULTILINE)
    assert len(listed) > 5
    return [command for command in listed if command != "embed"]


def section_of(page, command):
    """What the page says of a command, as a reader sees it."""
    plain = re.sub(r"\\f[BIR]", "", page).replace("\\-", "-")
    found = re.search(rf"^\.SS vecferry {command}\b.*?(?=^\.S[SH] )", plain, re.MULTILINE | re.DOTALL)
    assert found, f"{command} is not in the page"
    return found[0]


def test_the_page_names_every_option_of_every_command(vecferry, page, commands):
    forms = [[command] for command in commands] + [["verify", "--level", "rows"]]
    for command, *form in forms:
        of_help = re.findall(r"^  (?:-\w, )?(--[\w-]+)", vecferry(command, *form, "--help").stdout, re.MULTILINE)
        section = section_of(page, command + (" --source" if form else ""))
        named = re.findall(r"^(?:-\w, )?(--[\w-]+)(?:=.*)?$", section, re.MULTILINE)
        assert [option for option in of_help if option != "--help"] == named, command


def test_the_page_shows_on_every_terminal(page):
    assert page.isascii()
    assert "`" not in page
    assert "@" not in re.sub(r"\w@\w", "", page)
