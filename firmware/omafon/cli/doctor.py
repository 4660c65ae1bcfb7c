# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon doctor`: the findings as they come, and the file for a bug report."""

import argparse
import json
import os
import sys
from pathlib import Path

from omafon.cli.outcome import Exit, complain, print_json

BUNDLE = "omafon-report.tar.gz"


def doctor(arguments: argparse.Namespace) -> int:
    from omafon.doctor import Finding, Machine, Verdict, bundle, examine

    machine = Machine(config=arguments.config, state=arguments.state)
    hide = bundle.redactor(machine, machine.configuration())
    findings: list[Finding] = []
    # Into a pipe goes the bundle alone.
    silent = arguments.json or arguments.bundle == "-"
    for finding in examine(arguments.control, machine):
        findings.append(finding)
        if not silent:
            print(hide(str(finding)), flush=True)
    if arguments.bundle is not None:
        return _write(bundle.pack(findings, arguments.control, machine), arguments.bundle, json=arguments.json)
    if arguments.json:
        plain = [{key: hide(value) for key, value in finding.plain().items()} for finding in findings]
        print(hide(json.dumps({"findings": plain}, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)))
    return Exit.FAILED if any(finding.verdict is Verdict.WRONG for finding in findings) else Exit.DONE


def _write(packed: bytes, where: str, *, json: bool) -> int:
    if where == "-":
        sys.stdout.buffer.write(packed)
        return Exit.DONE
    file = Path(where)
    try:
        # Nobody else on this machine need read it.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            output.write(packed)
    except OSError as error:
        return complain(f"{file} cannot be written: {error.strerror}", "Name another file.", Exit.FAILED)
    if json:
        print_json({"bundle": str(file), "bytes": len(packed)})
    else:
        print(f"\n{file}: {len(packed)} bytes for a bug report; its README says what is in it, and what is not")
    return Exit.DONE
