# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a volume in percent means in decibels: as many for every step, because that is how an ear counts."""

import math

HANDSET_0_DB = 70
"""The handset's volume at which a voice is as loud as it comes over the line."""

AMPLIFIED_DB = 12.0
"""What the handset adds at 100 %, for those who hear badly (ITU-T P.370)."""

HANDSET_KEPT = 80
"""The loudest volume a handset keeps when it is put down: the next person may hear well."""

NORMAL_RLR_DB = 2.0
"""The receiving loudness rating a handset should have at HANDSET_0_DB (ITU-T G.107, TIA-920)."""

NORMAL_EAR_DBA = 70.0
"""A voice of -26 dBov in such an ear: 6 dB more than somebody who speaks one metre away (TIA-4965)."""

_HANDSET_DB = AMPLIFIED_DB / (100 - HANDSET_0_DB)
_RINGER_DB = 0.4


def handset_db(volume: int) -> float:
    """The gain of the handset at `volume`, 0 to 100 percent; at 0 it is silent.

    >>> [handset_db(volume) for volume in (10, 70, 80, 100)]
    [-24.0, 0.0, 4.0, 12.0]
    """
    return (volume - HANDSET_0_DB) * _HANDSET_DB if volume > 0 else -math.inf


def receiving_rlr_db(volume: int) -> float:
    """The receiving loudness rating to be aimed at: a loss, smaller where it is louder.

    >>> receiving_rlr_db(70), receiving_rlr_db(100)
    (2.0, -10.0)
    """
    return NORMAL_RLR_DB - handset_db(volume)


def ear_dba(volume: int) -> float:
    """The sound pressure in dB(A) that is to be expected of a voice.

    >>> ear_dba(70), ear_dba(100)
    (70.0, 82.0)
    """
    return NORMAL_EAR_DBA + handset_db(volume)


def ringer_db(volume: int) -> float:
    """The level of the bell at `volume`, under its loudest; at 0 it is silent.

    >>> [ringer_db(volume) for volume in (10, 80, 100)]
    [-36.0, -8.0, 0.0]
    """
    return (volume - 100) * _RINGER_DB if volume > 0 else -math.inf


def factor(db: float) -> float:
    """The factor to an amplitude that `db` is.

    >>> factor(-20.0), factor(-math.inf)
    (0.1, 0.0)
    """
    return float(10 ** (db / 20))
