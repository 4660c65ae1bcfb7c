# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A certificate authority for one test run, and the certificates it signs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.program import needs


@dataclass(frozen=True, slots=True)
class Certificate:
    key: Path
    certificate: Path


class Authority:
    """Signs for whom it is asked to; phones that are to believe it get `ca`."""

    def __init__(self, folder: Path, name: str = "Omafon lab") -> None:
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", "ca.key", "-out", "ca.pem"),
            *("-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign"),
        )

    def certificate(self, *names: str) -> Certificate:
        """A certificate for these host names and addresses, valid from now for a day."""
        stem = names[0]
        kinds = (f"{'IP' if name.replace('.', '').isdigit() else 'DNS'}:{name}" for name in names)
        (self._folder / f"{stem}.ext").write_text(f"subjectAltName={','.join(kinds)}\n")
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={stem}", "-keyout", f"{stem}.key", "-out", f"{stem}.csr"),
        )
        self._openssl(
            *("x509", "-req", "-in", f"{stem}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "1", "-extfile", f"{stem}.ext", "-out", f"{stem}.pem"),
        )
        return Certificate(self._folder / f"{stem}.key", self._folder / f"{stem}.pem")

    def _openssl(self, *words: str) -> None:
        command = [needs("openssl", "openssl"), *words]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
