# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Every word the phone says, in every language it speaks. A line of the screen holds 21 characters."""

from omafon.core.causes import Cause
from omafon.core.events import Driver, PairingFailure
from omafon.core.hardware import Part, Picture
from omafon.core.settings import Route

LANGUAGES = ("de", "en")

Catalogue = dict[str, tuple[str, str]]

# Each word in the order of LANGUAGES.
_WORDS: Catalogue = {
    "no_lines": ("Direktruf bereit", "Direct calls ready"),
    "line_down": ("Nicht angemeldet", "Not registered"),
    "line_up": ("Angemeldet", "Registered"),
    "missed_one": ("1 Anruf verpasst", "1 missed call"),
    "missed_many": ("{n} Anrufe verpasst", "{n} missed calls"),
    "messages": ("{n} neue Nachrichten", "{n} new messages"),
    "no_network": ("Kein Netz", "No network"),
    "lost": ("Nicht erreichbar:", "Out of reach:"),
    "lost_since": ("seit {at}", "since {at}"),
    "refused": ("Änderung abgelehnt", "Change was refused"),
    "last_good": ("Alte Einstellungen", "Old settings in use"),
    "safe_mode": ("Abgesicherter Modus", "Safe mode"),
    "config_wrong": ("Einstellung falsch", "Settings are wrong"),
    "config_line": ("phone.toml Zeile {n}", "phone.toml line {n}"),
    "start_failed": ("Startet nicht", "Does not start"),
    "no_calls": ("Keine Anrufe möglich", "No calls possible"),
    "dial": ("Bitte wählen", "Please dial"),
    "dial_hint": ("# oder Taste Anruf", "# or the call key"),
    "lift_hint": ("Hörer abheben", "Lift the handset"),
    "looking_up": ("Suche die Nummer …", "Looking it up …"),
    "calling": ("Ruft an …", "Calling …"),
    "far_ringing": ("Es klingelt", "It rings there"),
    "confirm": ("Kostet Geld", "This call costs"),
    "confirm_hint": ("Kostet: # ruft an", "It costs. # to call"),
    "night_there": ("So spät ist es dort", "is the time there"),
    "night_hint": ("1: trotzdem anrufen", "1: call all the same"),
    "night_large": ("dort! 1: anrufen", "there! 1: call"),
    "card_empty": ("Kein Eintrag", "Nothing listed"),
    "card_call_hint": ("Anruf-Taste: wählen", "Call key: dial it"),
    "incoming": ("Anruf", "Call from"),
    "waiting": ("Klopft an", "Call waiting"),
    "waiting_hint": ("R: annehmen", "R: answer"),
    "waiting_from": ("{name} klopft an", "{name} waits"),
    "unknown": ("Unbekannt", "Unknown"),
    "held": ("Gehalten", "On hold"),
    "held_hint": ("R: zurückholen", "R: take back"),
    "held_other": ("Gehalten: {name}", "On hold: {name}"),
    "swap_hint": ("R: wechseln", "R: swap"),
    "far_hold": ("Bitte warten …", "You are on hold"),
    "muted": ("Stumm", "Muted"),
    "listening": ("Mikrofon ist an", "Microphone is on"),
    "listening_hint": ("Ende: auflegen", "End: hang up"),
    "quiet_until": ("Ruhe bis {time}", "Quiet until {time}"),
    "voice_gone": ("Kein Ton: Audiogerät", "No sound: check card"),
    "volume_handset": ("Lautstärke Hörer", "Handset volume"),
    "volume_ringer": ("Lautstärke Klingel", "Ringer volume"),
    "setup_done": ("Eingerichtet", "Set up"),
    "setup_refused": ("Karte abgelehnt", "Card refused"),
    "setup_line": ("Fehler in Zeile {n}", "Error in line {n}"),
    "setup_file": ("Siehe diese Datei:", "See this file:"),
    "reset_title": ("Werkseinstellung", "Factory reset"),
    "reset_soon": ("Alles wird gelöscht", "Erases everything"),
    "reset_stop": ("Loslassen: abbrechen", "Let go to stop"),
    "reset_now": ("Wird gelöscht …", "Erasing …"),
    "reset_wait": ("Bitte warten", "Please wait"),
    "reset_failed": ("Nicht gelöscht", "Not erased"),
    "reset_failed_cure": ("Über SSH versuchen", "Try it over SSH"),
    "update": ("Neue Version", "New version"),
    "update_writing": ("Schreibe … {n} %", "Writing … {n} %"),
    "update_restarting": ("Neustart …", "Restarting …"),
    "update_judging": ("Wird geprüft …", "Being checked …"),
    "update_power": ("Nicht ausschalten", "Do not switch off"),
    "update_good": ("Läuft", "Is running"),
    "update_back": ("Lief nicht gut", "Did not run well"),
    "update_failed": ("Nicht übernommen", "Not installed"),
    "update_as_before": ("Alles wie vorher", "All is as before"),
    "pair_title": ("Koppeln", "Pairing"),
    "pair_hold": ("Weiter halten …", "Keep holding …"),
    "pair_hold_note": ("Loslassen: abbrechen", "Let go to stop"),
    "pair_search": ("Suche Telefon …", "Looking for it …"),
    "pair_search_note": ("Am anderen Telefon", "On the other phone"),
    "pair_search_hint": ("auch 0 halten", "hold 0 as well"),
    "pair_compare": ("Dort dasselbe?", "The same there?"),
    "pair_compare_hint": ("# 1: ja    * 0: nein", "# 1: yes    * 0: no"),
    "pair_wait": ("Dort auch ja sagen", "Say yes there too"),
    "pair_wait_hint": ("Bitte warten …", "Please wait …"),
    "pair_done": ("Gekoppelt mit", "Paired with"),
    "pair_done_hint": ("Ab jetzt Familie", "Now in the family"),
    "pair_failed": ("Nicht gekoppelt", "Not paired"),
    "answer_hint": ("#: ja       *: nein", "#: yes      *: no"),
    "test_press": ("Alle drücken", "Press them all"),
    "test_left": ("Noch: {keys}", "Left: {keys}"),
    "test_stuck": ("Klemmt: {pins}", "Stuck: {pins}"),
    "test_lift": ("Bitte abheben", "Lift it"),
    "test_replace": ("Bitte auflegen", "Put it down"),
    "test_dial": ("{digit} wählen", "Dial {digit}"),
    "test_lamp": ("Leuchtet nur diese?", "Only this one lit?"),
    "test_judge": ("Dann #: gut  *: nein", "Then #: good *: no"),
    "test_show": ("#: zeigen", "#: show it"),
    "test_ear": ("Ton im Hörer?", "Hear a tone?"),
    "test_bell": ("Klingelt es?", "Does it ring?"),
    "test_bell_note": ("Von tief bis hoch", "From low to high"),
    "test_voice": ("Sprich: gut zu hören?", "Speak. Hear yourself?"),
    "test_delay": ("Bitte leise", "Quiet, please"),
    "test_delay_note": ("Hörer nicht ans Ohr", "Handset off your ear"),
    "test_delay_was": ("Laufzeit {ms} ms", "Delay {ms} ms"),
    "test_result": ("Ergebnis", "Result"),
    "test_good": ("Alles gut", "All works"),
    "test_no_fault": ("Kein Fehler", "No fault"),
    "test_fault": ("1 Fehler", "1 fault"),
    "test_faults": ("{n} Fehler", "{n} faults"),
    "test_untested": ("Offen: {parts}", "Open: {parts}"),
    "test_report": ("Bericht: {name}", "Report: {name}"),
    "history": ("Anruf {n} von {of}", "Call {n} of {of}"),
    "history_in": ("Angenommen", "Answered"),
    "history_out": ("Gewählt", "Dialled"),
    "history_missed": ("Verpasst", "Missed"),
    "history_hint": ("Abheben: anrufen", "Lift to call"),
}

# How the call travels, and so what it costs.
_ROUTES: dict[Route, tuple[str, str]] = {
    Route.FAMILY: ("Familie / kostenlos", "family / free"),
    Route.ENUM: ("kostenlos / ENUM", "free / ENUM"),
    Route.PROVIDER: ("über den Anbieter", "provider"),
    Route.DIRECT: ("direkt / kostenlos", "direct / free"),
    Route.EMERGENCY: ("Notruf", "Emergency call"),
}

# What an Enumservice is to a person, by its type.
_SERVICES: dict[str, tuple[str, str]] = {
    "acct": ("Konto", "Account"),
    "email": ("E-Mail", "E-mail"),
    "ems": ("Nachricht", "Message"),
    "fax": ("Fax", "Fax"),
    "ft": ("Dateien", "Files"),
    "h323": ("Videotelefon", "Video phone"),
    "iax": ("Telefon (IAX)", "Phone (IAX)"),
    "ical-access": ("Kalender", "Calendar"),
    "ical-sched": ("Terminanfrage", "Appointments"),
    "ifax": ("Fax per Mail", "Fax by mail"),
    "im": ("Chat", "Chat"),
    "mms": ("Bildnachricht", "Picture message"),
    "pres": ("Anwesenheit", "Presence"),
    "pstn": ("Telefonnetz", "Phone network"),
    "sip": ("Internet-Anruf", "Internet call"),
    "sms": ("SMS", "SMS"),
    "unifmsg": ("Nachrichtenbox", "Message box"),
    "vcard": ("Visitenkarte", "Visiting card"),
    "videomsg": ("Videonachricht", "Video message"),
    "voice": ("Telefon", "Telephone"),
    "voicemsg": ("Anrufbeantworter", "Voice mail"),
    "vpim": ("Sprachnachricht", "Voice message"),
    "web": ("Webseite", "Web page"),
    "xmpp": ("Chat (XMPP)", "Chat (XMPP)"),
}

_PARTS: dict[Part, tuple[str, str]] = {
    Part.KEYS: ("Tasten", "Keys"),
    Part.HOOK: ("Gabel", "Hook switch"),
    Part.DIAL: ("Wählscheibe", "Dial"),
    Part.LAMPS: ("Lampen", "Lamps"),
    Part.DISPLAY: ("Anzeige", "Display"),
    Part.MIXER: ("Lautstärke", "Volume"),
    Part.EAR: ("Hörer", "Earpiece"),
    Part.BELL: ("Klingel", "Bell"),
    Part.MICROPHONE: ("Mikrofon", "Microphone"),
    Part.DELAY: ("Laufzeit", "Delay"),
}

_PICTURES: dict[Picture, tuple[str, str]] = {
    Picture.ALL_ON: ("Alles hell", "All lit"),
    Picture.ALL_OFF: ("Alles dunkel", "All dark"),
    Picture.CHESSBOARD: ("Schachbrett", "Chessboard"),
    Picture.TEXT: ("Rahmen, Schrift", "Frame and text"),
}

# By their names among core.screen.Lamps.
_LAMPS: dict[str, tuple[str, str]] = {
    "message": ("Nachricht", "Message"),
    "ringer": ("Klingel", "Ringer"),
    "line": ("Leitung", "Line"),
}

# What a driver that failed keeps the phone from.
_TROUBLES: dict[Driver, tuple[str, str]] = {
    Driver.SIP: ("Telefonie gestört", "Calls do not work"),
    Driver.DISPLAY: ("Anzeige gestört", "Display fails"),
    Driver.KEYPAD: ("Tasten gestört", "Keypad fails"),
    Driver.VOICE: ("Kein Audiogerät", "No sound device"),
    Driver.RINGER: ("Klingel gestört", "Bell fails"),
    Driver.MIXER: ("Lautstärke gestört", "Volume fails"),
    Driver.DNS: ("Kein Nameserver", "No name server"),
    Driver.FAMILY: ("Familie gestört", "Family calls fail"),
    Driver.STORE: ("Speicher gestört", "Memory card fails"),
}

# Why two phones did not become a family, and what to do.
_PAIRING: dict[PairingFailure, tuple[tuple[str, str], tuple[str, str]]] = {
    PairingFailure.NOBODY: (("Keins gefunden", "Beide ins selbe Netz"), ("None found", "Use the same network")),
    PairingFailure.LATE: (("Zu spät", "Noch einmal koppeln"), ("Too late", "Pair once more")),
    PairingFailure.DIFFERENT: (("Nicht dasselbe", "Mit Kabel versuchen"), ("Not the same", "Try it on a cable")),
    PairingFailure.REFUSED: (("Dort abgebrochen", "Noch einmal koppeln"), ("Stopped over there", "Pair once more")),
    PairingFailure.LOST: (("Verbindung verloren", "Noch einmal koppeln"), ("Connection lost", "Pair once more")),
    PairingFailure.DISTURBED: (("Gestört", "Nur zwei koppeln"), ("Disturbed", "Pair just two")),
    PairingFailure.NO_NETWORK: (("Kein Netz", "Kabel/WLAN prüfen"), ("No network", "Check cable or Wi-Fi")),
    PairingFailure.FULL: (("Familie ist voll", "Eins entfernen"), ("Family is full", "Remove one first")),
    PairingFailure.BROKEN: (("Schlüssel fehlt", "Speicher prüfen"), ("No key of its own", "Check the card")),
}

# What went wrong, and what to do: two lines each.
_CAUSES: dict[Cause, tuple[tuple[str, str], tuple[str, str]]] = {
    Cause.NORMAL: (("Gespräch beendet", "Bitte auflegen"), ("Call ended", "Please hang up")),
    Cause.CANCELLED: (("Anrufer hat aufgelegt", ""), ("The caller hung up", "")),
    Cause.ANSWERED_ELSEWHERE: (("Anderswo angenommen", ""), ("Answered elsewhere", "")),
    Cause.BUSY: (("Besetzt", "Später noch einmal"), ("Busy", "Try again later")),
    Cause.DECLINED: (("Anruf abgelehnt", "Später noch einmal"), ("Call declined", "Try again later")),
    Cause.NO_ANSWER: (("Niemand nimmt ab", "Später noch einmal"), ("Nobody answers", "Try again later")),
    Cause.NOT_FOUND: (("Kein Anschluss", "Nummer prüfen"), ("No such number", "Check the number")),
    Cause.NUMBER_INCOMPLETE: (("Nummer zu kurz", "Nummer prüfen"), ("Number too short", "Check the number")),
    Cause.NUMBER_INVALID: (("Nummer gibt es nicht", "Nummer prüfen"), ("Not a number", "Check the number")),
    Cause.TOO_MANY_CALLS: (("Schon zwei Anrufe", "Erst einen beenden"), ("Two calls already", "End one of them")),
    Cause.UNPROVEN: (("Nummer unbewiesen", "DNSSEC prüfen"), ("Number is unproven", "Check DNSSEC")),
    Cause.FORGED: (("Verzeichnis gefälscht", "Netz prüfen"), ("Directory is forged", "Check the network")),
    Cause.BARRED: (("Nummer ist gesperrt", "Andere Nummer wählen"), ("Number is barred", "Dial another number")),
    Cause.QUIET_HOURS: (("Ruhezeit", "Später noch einmal"), ("Quiet hours", "Try again later")),
    Cause.OWN_NUMBER: (("Eigene Nummer", "Andere Nummer wählen"), ("Your own number", "Dial another number")),
    Cause.NO_ROUTE: (("Kein Weg zur Nummer", "Leitung einrichten"), ("No way to that number", "Set up a line")),
    Cause.NO_DIRECTORY: (("Verzeichnis stumm", "Internet prüfen"), ("No directory answers", "Check the internet")),
    Cause.NO_EMERGENCY_ROUTE: (
        ("KEIN NOTRUF MÖGLICH", "Anderes Telefon!"),
        ("NO EMERGENCY CALLS", "Use another phone!"),
    ),
    Cause.OFFLINE: (("Telefon nicht am Netz", "Später noch einmal"), ("Phone is offline", "Try again later")),
    Cause.UNREACHABLE: (("Nicht erreichbar", "Später noch einmal"), ("Not reachable", "Try again later")),
    Cause.NO_NETWORK: (("Kein Netz", "Kabel/WLAN prüfen"), ("No network", "Check cable or Wi-Fi")),
    Cause.WRONG_PASSWORD: (("Passwort falsch", "Leitung prüfen"), ("Wrong password", "Check the line")),
    Cause.FORBIDDEN: (("Nicht erlaubt", "Anbieter fragen"), ("Not allowed", "Ask the provider")),
    Cause.NOT_REGISTERED: (("Nicht angemeldet", "Moment warten"), ("Not registered yet", "Wait a moment")),
    Cause.TLS_UNTRUSTED: (("Zertifikat falsch", "Anbieter fragen"), ("Bad certificate", "Ask the provider")),
    Cause.CLOCK_NOT_SET: (("Uhr nicht gestellt", "Moment warten"), ("Clock is not set", "Wait a moment")),
    Cause.SRTP_REFUSED: (("Keine Verschlüsselung", "srtp-Einstellung"), ("No encryption there", "See srtp setting")),
    Cause.NO_COMMON_CODEC: (("Sprache passt nicht", "Codecs prüfen"), ("No common codec", "Check the codecs")),
    Cause.SERVER_ERROR: (("Fehler beim Anbieter", "Später noch einmal"), ("Provider's fault", "Try again later")),
    Cause.SERVER_OVERLOADED: (
        ("Anbieter überlastet", "Später noch einmal"),
        ("Provider is busy", "Try again later"),
    ),
    Cause.HOST_NOT_FOUND: (("Adresse unbekannt", "Adresse prüfen"), ("Address unknown", "Check the address")),
    Cause.MEDIA_LOST: (("Verbindung verloren", "Neu anrufen"), ("Connection lost", "Call again")),
    Cause.DIAL_TIMEOUT: (("Nichts gewählt", "Bitte auflegen"), ("Nothing dialled", "Please hang up")),
    Cause.FAILED: (("Ging nicht", "Noch einmal versuchen"), ("Did not work", "Try once more")),
}


def word(key: str, language: str, **values: str | int) -> str:
    """The catalogue's entry for `key`, with `values` in their places.

    >>> word("missed_many", "en", n=3)
    '3 missed calls'
    """
    return _WORDS[key][LANGUAGES.index(language)].format(**values)


def route_words(route: Route, language: str) -> str:
    """How a call travels, in words."""
    return _ROUTES[route][LANGUAGES.index(language)]


def service_words(service: str, language: str) -> str:
    """An Enumservice, 'email:mailto', in words; one that is not registered under its own name."""
    kind = service.partition(":")[0]
    return _SERVICES[kind][LANGUAGES.index(language)] if kind in _SERVICES else service


def trouble_words(driver: Driver, language: str) -> str:
    """What does not work because `driver` failed."""
    return _TROUBLES[driver][LANGUAGES.index(language)]


def part_words(part: Part, language: str) -> str:
    """A part of the telephone that is tested."""
    return _PARTS[part][LANGUAGES.index(language)]


def picture_words(picture: Picture, language: str) -> str:
    """What is to be seen on a test picture."""
    return _PICTURES[picture][LANGUAGES.index(language)]


def lamp_words(lamp: str, language: str) -> str:
    """A lamp, by its name among core.screen.Lamps."""
    return _LAMPS[lamp][LANGUAGES.index(language)]


def pairing_words(failure: PairingFailure, language: str) -> tuple[str, str]:
    """Why two phones did not become a family, and what to do about it."""
    return _PAIRING[failure][LANGUAGES.index(language)]


def cause_words(cause: Cause, language: str) -> tuple[str, str]:
    """What happened, and what to do about it."""
    return _CAUSES[cause][LANGUAGES.index(language)]
