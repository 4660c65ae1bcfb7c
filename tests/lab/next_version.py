# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Another version of an image that was built: its slot with some files changed, as a signed bundle to be fetched."""

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.lab.program import needs
from tests.lab.slots import IMAGE_BUILD

OS_RELEASE = "usr/lib/os-release"


def slot_of(image: Path) -> Path:
    """The file system of slot A that lies beside the image of the card."""
    return image.with_name(image.name.removesuffix(".img") + ".root.ext4")


def version_of(image: Path) -> str:
    return image.name.removeprefix("omafon-").removesuffix(".img")


def bundle(folder: Path, image: Path, version: str, files: Mapping[str, str] | None = None) -> Path:
    """A bundle of what is on `image`, but with `version`, and with these `files` by their paths from the root."""
    needs("debugfs", "e2fsprogs")
    slot, made = folder / "slot.ext4", folder / f"omafon-{version}.raucb"
    subprocess.run(["cp", "--sparse=always", slot_of(image), slot], check=True)
    release = subprocess.run(["debugfs", "-R", f"cat /{OS_RELEASE}", slot], check=True, capture_output=True, text=True)
    changed = {OS_RELEASE: release.stdout.replace(version_of(image), version), **(files or {})}
    commands = []
    for number, (path, text) in enumerate(changed.items()):
        source = folder / f"file-{number}"
        source.write_text(text)
        commands += [f"mkdir /{Path(path).parent}", f"rm /{path}", f"write {source} /{path}"]
        commands += [f"set_inode_field /{path} mode 0100644"]
    script = folder / "debugfs"
    script.write_text("\n".join(commands) + "\n")
    subprocess.run(["debugfs", "-w", "-f", script, slot], check=True, capture_output=True)
    subprocess.run([IMAGE_BUILD / "workshop", IMAGE_BUILD / "bundle", slot, version, made], check=True)
    slot.unlink()
    return made


@contextmanager
def offered(folder: Path) -> Iterator[int]:
    """Files of `folder` by HTTP on 127.0.0.1, at the port it yields."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, name="offers bundles")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is for what fails."""
