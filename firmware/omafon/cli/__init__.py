# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Words become calls: the `omafon` command.

Each subcommand imports what it needs when it runs: `omafon status` is to answer at once, also on a small Pi.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from omafon.cli.outcome import Exit, complain
from omafon.cli.words import parser
from omafon.client import NoDaemon, Refused


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line `words`; the exit code."""
    arguments = parser().parse_args(words)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        code = command(arguments)
        sys.stdout.flush()
    except NoDaemon as error:
        return complain(str(error), error.cure, Exit.NO_DAEMON)
    except Refused as error:
        return complain(error.what, error.cure, Exit.CONFIG if error.misconfigured else Exit.FAILED)
    except BrokenPipeError:
        # The reader of a pipe has seen enough. What is still in the buffer must not raise again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return Exit.DONE
    return code
