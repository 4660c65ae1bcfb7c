# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon apply`, `confirm`, `rollback`, `history`, `diff`, as a shell sees them: words in, words and a code out."""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omafon.cli import main
from tests.lab.faraway import WRONG, Answering, FarAway, text
from tests.unit.test_config import BROKEN

CANARY = "kanarienvogel-9173"


class Shell:
    """The command line of an owner whose phone has generation 1, called Oma."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "etc").mkdir()
        self.phone = FarAway(folder / "etc")
        self.phone.transaction().apply(text("Oma"), "phone.toml", offline=True)
        self.phone.starts()
        self.control = folder / "control"
        self.new = folder / "new.toml"
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def words(self, verb: str, *words: str, control: bool = True) -> list[str]:
        places = ["--config", str(self.phone.file), *(["--control", str(self.control)] * control)]
        return [verb, *words, *places]

    def does(self, verb: str, *words: str, sends: str | None = None) -> tuple[int, str, str]:
        """The exit code, and what was said on standard output and error."""
        if sends is not None:
            self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sends.encode())))
        code = main(self.words(verb, *words, control=verb not in ("history", "diff")))
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(tmp_path, capsys, monkeypatch) -> Shell:
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return Shell(tmp_path, capsys, monkeypatch)


@pytest.fixture
def answering(shell: Shell) -> Iterator[Shell]:
    """The same, and the phone answers."""
    with Answering(shell.phone, shell.control):
        yield shell


def test_apply_from_standard_input_says_what_was_looked_at(answering):
    code, out, err = answering.does("apply", sends=text("Opa"))

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "generation 2 is in force",
        "  the configuration: good",
        "  line home: good",
        "  voice: good",
        "  display: good",
    ]


def test_apply_that_does_harm_fails_and_says_that_it_is_gone(answering):
    answering.new.write_text(text("Opa", WRONG))

    code, out, err = answering.does("apply", str(answering.new))

    assert (code, out) == (1, "")
    assert "omafon: generation 2 is gone (line home: not registered (403 Forbidden)); generation 1 is in" in err


def test_apply_of_the_same_is_unchanged(answering):
    assert answering.does("apply", "-", sends=text("Oma"))[:2] == (0, "unchanged: generation 1 is in force\n")


def test_without_a_phone_apply_refuses_with_69_unless_it_is_told_to(shell):
    code, _, err = shell.does("apply", sends=text("Opa"))
    assert code == 69
    assert err.startswith(f"omafon: no phone answers at {shell.control}; nothing was changed\n")

    code, out, _ = shell.does("apply", "--offline", sends=text("Opa"))
    assert code == 0
    assert out.splitlines()[:2] == [
        "generation 2 is in force, for the phone that starts next",
        "  not checked: whether the lines register",
    ]


def test_while_somebody_else_applies_the_exit_code_is_75(answering):
    with answering.phone.generations.locked():
        code, _, err = answering.does("apply", sends=text("Opa"))

    assert (code, err) == (75, "omafon: somebody else is changing the configuration\n  Try again soon.\n")


@pytest.mark.parametrize(("broken", "line", "what", "cure"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_its_sentence_and_changes_nothing(shell, broken, line, what, cure):
    shell.new.write_text(broken)
    before = sorted(shell.phone.folder.rglob("*"))

    code, out, err = shell.does("apply", str(shell.new))

    first, second, last = err.splitlines()
    assert (code, out, last) == (78, "", "1 error; nothing was changed.")
    assert first.startswith(f"{shell.new}: " if line is None else f"{shell.new}, line {line}: ")
    assert what in first
    assert cure in second
    assert sorted(shell.phone.folder.rglob("*")) == before


def test_every_verb_speaks_json(answering):
    def told(verb: str, *words: str, sends: str | None = None) -> tuple[int, dict]:
        code, out, err = answering.does(verb, "--json", *words, sends=sends)
        assert err == ""
        return code, json.loads(out)

    code, applied = told("apply", sends=text("Opa"))
    assert (code, applied["outcome"], applied["generation"], applied["previous"]) == (0, "applied", 2, 1)
    code, refused = told("apply", sends="[phone]\nnam = 1")
    assert (code, refused["outcome"], refused["problems"][0]["line"]) == (78, "refused", 2)
    code, nothing = told("confirm")
    assert (code, nothing["outcome"], nothing["what"]) == (1, "refused", "nothing waits for a confirmation")
    code, found = told("diff")
    assert (code, found["changed"], found["credentials"]) == (0, True, {})
    code, history = told("history")
    assert (code, history["current"], [each["outcome"] for each in history["generations"]]) == (
        0,
        2,
        ["not checked", "applied"],
    )
    code, back = told("rollback")
    assert (code, back["outcome"], back["generation"]) == (0, "rolled-back", 1)
    with answering.phone.generations.locked():
        code, busy = told("rollback")
    assert (code, busy["outcome"]) == (75, "busy")


def test_history_has_a_line_for_each_generation(shell):
    shell.does("apply", "--offline", sends=text("Opa"))

    code, out, _ = shell.does("history")

    first, second = out.splitlines()
    assert code == 0
    assert first.startswith("     1  ")
    assert second.startswith("→    2  ")
    assert "not checked; by " in second


def test_diff_compares_files_and_generations(shell):
    shell.new.write_text(text("Opa", "neu"))

    code, out, _ = shell.does("diff", str(shell.new))
    assert code == 0
    assert out.splitlines() == [
        "--- generation 1",
        f"+++ {shell.new}",
        "@@ -1,5 +1,5 @@",
        " [phone]",
        '-name = "Oma"',
        '+name = "Opa"',
        " [audio]",
        ' voice = "null"',
        " [[line]]",
        "credential line-home: changed",
    ]

    shell.does("apply", "--offline", str(shell.new))
    assert '+name = "Opa"' in shell.does("diff")[1]
    assert '+name = "Opa"' in shell.does("diff", "1")[1]
    assert '+name = "Oma"' in shell.does("diff", "2", "1")[1]
    assert shell.does("diff", "-", sends=shell.new.read_text())[1] == (
        "no difference between generation 2 and standard input\n"
    )
    assert shell.does("diff", "7")[0] == 1
    assert shell.does("diff", "-", sends="?")[0] == 78


def test_a_file_written_by_hand_is_compared_without_its_password(shell):
    shell.phone.file.unlink()
    shell.phone.file.write_text(f'password = "{CANARY}\n')

    _, out, _ = shell.does("diff", "-", sends=text("Opa"))

    assert "-password = …" in out
    assert CANARY not in out


def test_what_an_editor_put_in_the_place_of_the_link_is_compared_with_what_was_there(shell):
    edited = shell.phone.file.read_text().replace("Oma", "Edith")
    shell.phone.file.unlink()
    shell.phone.file.write_text(edited)

    assert '+name = "Edith"' in shell.does("diff")[1]


def test_confirm_wants_another_login(answering, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 127.0.0.1 1")
    answering.does("apply", "--confirm-within", "60", sends=text("Opa"))

    assert answering.does("confirm")[::2] == (
        1,
        "omafon: this login applied it, and cannot show that another one succeeds\n"
        "  Log in again, and confirm there.\n",
    )
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50001 127.0.0.1 1")
    assert answering.does("confirm")[:2] == (0, "generation 2 is confirmed\n")


def test_who_may_not_change_it_is_told_so(shell, tmp_path):
    if os.geteuid() == 0:
        # Root may everything but write into what is no folder.
        shell.phone.generations.directory.joinpath("lock").unlink()
        shell.phone.generations.directory.joinpath("lock").mkdir()
    else:
        shell.phone.folder.chmod(0o500)

    code, _, err = shell.does("rollback")

    assert code == 1
    assert err.startswith(f"omafon: {shell.phone.folder / 'lock'}: ")
