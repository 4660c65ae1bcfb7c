# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Commands that ask a running phone, and how its answers are told."""

import argparse
import json
import os
import sys
from typing import Any

from omafon.cli.outcome import Exit, complain, counted, print_json
from omafon.client import Client


def status(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        status = phone.ask("status")
    if arguments.json:
        status["counters"] = {**status.get("counters", {}), "failed_logins": _failed_logins()}
        print_json(status)
    else:
        print("\n".join(_status_lines(status)))
    return Exit.DONE


def _failed_logins() -> int | None:
    """How many connections to the SSH server since the machine started were no log-in; None: it may not be seen."""
    from omafon.programs import run

    # sshd tells the end of each so, at its usual level. Since OpenSSH 9.8 it is another program that does.
    words = ["--boot", "--output=cat", "--no-pager", "_COMM=sshd", "_COMM=sshd-session"]
    told = run(["journalctl", *words, r"--grep=(authenticating|invalid) user .*\[preauth\]"], timeout_s=5.0)
    # With nothing found it fails as well; with no right to look it says so.
    if told is None or told.err:
        return None
    return len([line for line in told.out.splitlines() if "[preauth]" in line])


def press(arguments: argparse.Namespace) -> int:
    return _do(arguments, "press", keys=arguments.keys)


def dial(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        result = phone.ask("dial", number=arguments.number)
        rows = phone.ask("screen")["rows"] if result["mode"] == "failed" else []
    _print_outcome(arguments, result)
    if not rows:
        return Exit.DONE
    # Under the heading the screen says why, and what to do.
    why, *_, cure = [row for row in rows[1:] if row] or [""]
    return complain(why, cure if cure != why else "", Exit.FAILED)


def answer(arguments: argparse.Namespace) -> int:
    return _do(arguments, "answer")


def hangup(arguments: argparse.Namespace) -> int:
    return _do(arguments, "hangup")


def _do(arguments: argparse.Namespace, method: str, **params: object) -> int:
    with Client(arguments.control) as phone:
        _print_outcome(arguments, phone.ask(method, **params))
    return Exit.DONE


def _print_outcome(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    if arguments.json:
        print_json(result)
    else:
        print(f"{result['hook']}-hook, {_MODES.get(result['mode'], result['mode'])}")


def reload(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        answer = phone.ask("reload", now=arguments.now)
    if arguments.json:
        print_json(answer)
    else:
        print(f"configuration: {answer['taken']}")
    return Exit.DONE


def screen(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        screen = phone.ask("screen")
    if arguments.json:
        print_json(screen)
        return Exit.DONE
    import base64

    from PIL import Image

    from omafon import render

    frame = Image.frombytes("1", (screen["width"], screen["height"]), base64.b64decode(screen["frame"]))
    if arguments.png is None:
        wide = os.get_terminal_size().columns >= frame.width if sys.stdout.isatty() else True
        print(render.half_blocks(frame) if wide else render.quadrants(frame))
        return Exit.DONE
    try:
        render.picture(frame).save(arguments.png, format="png")
    except OSError as error:
        return complain(f"{arguments.png} cannot be written: {error.strerror}", "Name another file.", Exit.FAILED)
    return Exit.DONE


def events(arguments: argparse.Namespace) -> int:
    with Client(arguments.control) as phone:
        for event in phone.events():
            if event.get("event") != "errand":
                continue
            # Flushed at once: who watches wants to see it now, also through a pipe.
            print(json.dumps(event, ensure_ascii=False) if arguments.json else _errand_line(event), flush=True)
    return Exit.DONE


# How it is told.

_MODES = {
    "idle": "idle",
    "dialing": "dialling",
    "resolving": "looking up",
    "calling": "calling",
    "ringing": "ringing",
    "in_call": "in a call",
    "held": "held",
    "failed": "failed",
    "menu": "menu",
}


def _status_lines(status: dict[str, Any]) -> list[str]:
    name = status.get("name") or "Telephone"
    lines = [f"{name}: {status['hook']}-hook, {_MODES.get(status['mode'], status['mode'])}", ""]
    lines += [f"  │{row:<21}│" for row in status["screen"]]
    lines.append("")
    for line in status["lines"]:
        state = "registered" if line["registered"] else f"not registered ({_reason(line)})"
        lines.append(f"  line      {line['name']}: {state}, {line['aor']}")
    for call in status["calls"]:
        lines.append(f"  call      {_call_line(call)}")
    volume = status["volume"]
    lines.append(f"  volume    handset {volume['handset']} %, ringer {volume['ringer']} %")
    news = [counted(status["missed"], "missed call"), counted(status["messages"], "message")]
    lines.append(f"  news      {', '.join(news)}")
    if not status.get("clock", {"set": True})["set"]:
        lines.append("  clock     not set yet: lines by TLS and proofs by DNSSEC wait for it")
    lines += _config_lines(status.get("config", {}))
    lines += [f"  trouble   {driver}: {state}" for driver, state in status["drivers"].items() if state != "ok"]
    lines.append(f"  version   omafon {status['version']}")
    return lines


def _config_lines(config: dict[str, Any]) -> list[str]:
    lines = ["  safe mode no calls are possible"] if config.get("safe_mode") else []
    if config.get("refused"):
        lines.append(f"  refused   {str(config['refused']).splitlines()[0]}")
    if config.get("pending_restart"):
        lines.append("  waiting   a change of the configuration, until nobody uses the phone")
    return lines


def _reason(line: dict[str, Any]) -> str:
    return " ".join(str(word) for word in (line["status"], line["reason"]) if word) or "not asked yet"


def _call_line(call: dict[str, Any]) -> str:
    who = call["name"] or call["number"] or call["uri"]
    parts = ["to" if call["direction"] == "out" else "from", who, f"({_MODES.get(call['state'], call['state'])},"]
    if call["duration_s"]:
        minutes, seconds = divmod(int(call["duration_s"]), 60)
        parts.append(f"{minutes}:{seconds:02},")
    parts.append(f"{call['route']},")
    if call["codec"]:
        parts.append(f"{call['codec']},")
    parts.append("private)" if call["srtp"] and call["tls"] else "not encrypted)")
    return " ".join(parts)


def _errand_line(errand: dict[str, Any]) -> str:
    from datetime import datetime

    at = datetime.fromtimestamp(errand["at"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    actions = f" → {', '.join(errand['actions'])}" if errand["actions"] else ""
    return f"{at}  {errand['what']}{actions}"
