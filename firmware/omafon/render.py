# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A Screen becomes a one-bit image: what the OLED, the terminal and the browser all show."""

from collections.abc import Sequence

from PIL import Image, ImageChops

from omafon.core.hardware import Picture
from omafon.core.screen import Screen
from omafon.fonts import Face, face
from omafon.icons import HEIGHT as ICON_HEIGHT
from omafon.icons import icon

WIDTH, HEIGHT = 128, 64

MARGIN = 1
GAP = 4  # between what shares the top line
TITLE_BASELINE = 10
MAIN_TOP = 13
NOTE_BASELINE = 50
HINT_BASELINE = 62
LINE_ASCENT = 10  # of a small line: capitals of 8 rows and their accents

TITLE_FACES = ("sans-bold-10", "sans-10", "mono-12")
SMALL_FACES = ("sans-10", "mono-12")
# The large line's faces, and the rows each wants between its neighbours so that it does not look squeezed in.
MAIN_FACES = {
    "clock-37": 39,
    "sans-bold-34": 34,
    "sans-bold-25": 20,
    "sans-bold-18": 16,
    "sans-bold-14": 14,
    "sans-bold-12": 12,
    "mono-16": 16,
    "sans-bold-10": 10,
    "mono-12": 12,
}

# What is typed grows by a key, and each key shall cross a slow bus in 8 ms: the large digits are three pages of the
# display's memory high and the others two, and all stand on one line. So wide may each be in pixels.
TYPED_FACES = {
    "sans-bold-25": 92,
    "sans-bold-18": 126,
    "sans-bold-14": 126,
    "sans-bold-12": 126,
    "sans-bold-10": 126,
    "mono-12": 126,
}
TYPED_BASELINE = 37

# Where names and numbers are as large as there is room for.
LARGE_FACES = (*MAIN_FACES,)
LARGE_NOTE_FACES = ("sans-bold-12", "sans-bold-10", "sans-10", "mono-12")
LARGE_NOTE_TOP = 51
LARGE_NOTE_BASELINE = 61
LARGE_UNBROKEN = 8  # letters of a word or number that is not broken in two

BAR_FACES = ("sans-bold-18", "sans-bold-12", "mono-12")
BAR_STEPS = 21
BAR_PITCH = 6

ELLIPSIS = "…"


def render(screen: Screen) -> Image.Image:
    """The 128×64 picture of `screen`, mode "1", white on black. A pure function, about a millisecond."""
    if screen.picture is not None:
        return trial_picture(screen.picture, (WIDTH, HEIGHT))
    image = Image.new("1", (WIDTH, HEIGHT))
    if screen.large:
        _large(image, screen)
        return image
    _top_line(image, screen)
    foot = HEIGHT
    for text, baseline in _small_lines(screen):
        _line(image, text, baseline, centred=screen.centred)
        foot = min(foot, baseline - LINE_ASCENT)
    if screen.bar is not None:
        _bar(image, screen.bar, screen.main, foot)
    elif screen.typed:
        _typed(image, screen.main)
    elif screen.main:
        _main(image, screen, foot)
    return image


def _small_lines(screen: Screen) -> list[tuple[str, int]]:
    """Note and hint where they stand: a missing hint lets the note sink to the foot and the main line grow."""
    if screen.note and screen.hint:
        return [(screen.note, NOTE_BASELINE), (screen.hint, HINT_BASELINE)]
    return [(text, HINT_BASELINE) for text in (screen.note, screen.hint) if text]


def _top_line(image: Image.Image, screen: Screen) -> None:
    ink = 1
    if screen.alert:
        image.paste(1, (0, 0, WIDTH, MAIN_TOP - 1))
        ink = 0
    right = WIDTH - MARGIN - (2 if screen.alert else 0)
    left = WIDTH - right
    if screen.corner:
        letters, text = _fitting(screen.corner, TITLE_FACES, right - left)
        right -= letters.width(text)
        letters.draw(image, right, TITLE_BASELINE, text, ink)
        right -= GAP
    for which in screen.icons:
        picture = icon(which)
        right -= picture.width
        image.paste(ink, (right, (MAIN_TOP - 1 - ICON_HEIGHT) // 2), picture)
        right -= GAP
    letters, text = _fitting(screen.title, TITLE_FACES, right - left)
    letters.draw(image, left, TITLE_BASELINE, text, ink)


def _line(image: Image.Image, text: str, baseline: int, *, centred: bool) -> None:
    letters, text = _fitting(text, SMALL_FACES, WIDTH - 2 * MARGIN)
    x = (WIDTH - letters.width(text)) // 2 if centred else MARGIN
    letters.draw(image, x, baseline, text)


def _main(image: Image.Image, screen: Screen, foot: int) -> None:
    """The large line, in the largest face whose ink fits between the top line and `foot`."""
    room = foot - MAIN_TOP
    faces = [name for name, wanted in MAIN_FACES.items() if wanted <= room or _is_clock(screen, name, room)]
    letters, text = _fitting(screen.main, faces, WIDTH - 2 * MARGIN)
    above, below = letters.extent(text)
    # Capitals and digits stand in the middle of the room, so that two names in one face share a baseline,
    # unless an accent or a tail would then touch another line.
    capital = letters.extent("0")[0]
    baseline = MAIN_TOP + (room + capital) // 2
    baseline = max(MAIN_TOP + above, min(baseline, foot - below))
    x = (WIDTH - letters.width(text)) // 2 if screen.centred else MARGIN
    letters.draw(image, x, baseline, text)


def _large(image: Image.Image, screen: Screen) -> None:
    """All of the glass for the main line, on one line or two, whichever lets it be larger; the note at its foot."""
    foot = HEIGHT
    if screen.note:
        letters, text = _fitting(screen.note, LARGE_NOTE_FACES, WIDTH - 2 * MARGIN)
        x = (WIDTH - letters.width(text)) // 2
        if screen.alert:
            image.paste(1, (0, LARGE_NOTE_TOP, WIDTH, HEIGHT))
        letters.draw(image, x, LARGE_NOTE_BASELINE, text, 0 if screen.alert else 1)
        foot = LARGE_NOTE_TOP
    right = WIDTH
    for which in screen.icons:
        picture = icon(which)
        right -= picture.width
        image.paste(1, (right, 0), picture)
        right -= 2
    lines, letters = _largest(screen.main, foot)
    heights = [letters.extent(line or "0") for line in lines]
    gap = (foot - sum(map(sum, heights))) // (len(lines) + 1)
    top = gap
    for line, (above, below) in zip(lines, heights, strict=True):
        room = right if top < ICON_HEIGHT and screen.icons else WIDTH
        x = max(0, min((WIDTH - letters.width(line)) // 2, room - letters.width(line)))
        letters.draw(image, x, top + above, line)
        top += above + below + gap


def _largest(text: str, room: int) -> tuple[list[str], Face]:
    """`text` on one line or two, in the largest face in which it fits into WIDTH and `room` rows."""
    words = text.split(" ")
    broken = [[" ".join(words[:at]), " ".join(words[at:])] for at in range(1, len(words))]
    if len(words) == 1 and len(text) > LARGE_UNBROKEN:
        half = text.find("@") if "@" in text else (len(text) + 1) // 2
        broken = [[text[:half], text[half:]]]
    for name in LARGE_FACES:
        letters = face(name)
        if not letters.covers(text):
            continue
        for lines in ([text], *broken):
            wide = max(map(letters.width, lines)) <= WIDTH
            high = sum(sum(letters.extent(line or "0")) for line in lines) + len(lines) - 1 <= room
            if wide and high:
                return lines, letters
    letters, cut = _fitting(text, LARGE_FACES, WIDTH)
    return [cut], letters


def _typed(image: Image.Image, text: str) -> None:
    """The large line where and as large as it was before the last key, as far as there is room."""
    fitting = (name for name, room in TYPED_FACES.items() if face(name).covers(text) and face(name).width(text) <= room)
    name = next(fitting, None)
    letters, text = (face(name), text) if name else _fitting(text, list(TYPED_FACES), WIDTH - 2 * MARGIN)
    letters.draw(image, MARGIN, TYPED_BASELINE, text)


def _is_clock(screen: Screen, name: str, room: int) -> bool:
    """Whether digits in the middle of the display fit: they have neither accents nor tails, and may come closer."""
    letters = face(name)
    return screen.centred and letters.covers(screen.main) and sum(letters.extent(screen.main)) + 2 <= room


def _bar(image: Image.Image, percent: int, text: str, foot: int) -> None:
    """A rising row of strokes, filled up to `percent`, a volume; `text` stands above the low ones."""
    lit = round(BAR_STEPS * max(0, min(percent, 100)) / 100)
    lowest, highest = 5, foot - MAIN_TOP - 4
    left = (WIDTH - BAR_STEPS * BAR_PITCH + 2) // 2
    for step in range(BAR_STEPS):
        x = left + step * BAR_PITCH
        height = lowest + (highest - lowest) * step // (BAR_STEPS - 1) if step < lit else 2
        image.paste(1, (x, foot - 2 - height, x + BAR_PITCH - 2, foot - 2))
    letters, text = _fitting(text, BAR_FACES, WIDTH // 2)
    letters.draw(image, MARGIN, MAIN_TOP + 2 + letters.extent(text)[0], text)


def _fitting(text: str, names: Sequence[str], room: int) -> tuple[Face, str]:
    """The first face that has all letters of `text` and fits it into `room` columns; else the narrowest, cut."""
    if not any(face(name).covers(text) for name in names):
        text = face(names[-1]).spelled(text)
    having = (letters for letters in map(face, names) if letters.covers(text))
    fitting = next((letters for letters in having if letters.width(text) <= room), None)
    if fitting is not None:
        return fitting, text
    narrowest = min((face(name) for name in names if face(name).covers(text)), key=lambda letters: letters.width(text))
    return narrowest, _cut(narrowest, text, room)


def _cut(letters: Face, text: str, room: int) -> str:
    while text and letters.width(text + ELLIPSIS) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS if text else ""


# What is shown to test the glass.

SQUARE = 8


def trial_picture(wanted: Picture, size: tuple[int, int]) -> Image.Image:
    """`wanted` as one bit a pixel, on a glass of `size`, width and height as the person sees it."""
    match wanted:
        case Picture.ALL_ON:
            return Image.new("1", size, 1)
        case Picture.ALL_OFF:
            return Image.new("1", size)
        case Picture.CHESSBOARD:
            return _chessboard(size)
        case Picture.TEXT:
            return _framed(size)


def _chessboard(size: tuple[int, int]) -> Image.Image:
    stripes = Image.new("1", size)
    for x in range(0, size[0], 2 * SQUARE):
        stripes.paste(1, (x, 0, x + SQUARE, size[1]))
    rows = Image.new("1", size)
    for y in range(0, size[1], 2 * SQUARE):
        rows.paste(1, (0, y, size[0], y + SQUARE))
    return ImageChops.logical_xor(stripes, rows)


def _framed(size: tuple[int, int]) -> Image.Image:
    words = render(Screen(main="Omafon", note="0123456789 ÄÖÜ ß €"))
    framed = Image.new("1", size)
    framed.paste(words, ((size[0] - words.width) // 2, (size[1] - words.height) // 2))
    edge = Image.new("1", size, 1)
    edge.paste(0, (1, 1, size[0] - 1, size[1] - 1))
    return ImageChops.logical_or(framed, edge)


# How the picture looks elsewhere than on the glass.

_LIT = (199, 233, 255)
_DARK = (6, 9, 14)
_UNLIT = (11, 16, 24)
_GLOW = (104, 130, 150)  # light that spills into the gap beside a lit pixel


def picture(image: Image.Image, scale: int = 6) -> Image.Image:
    """An RGB photograph of the display: bluish pixels with dark gaps, `scale` pixels to each of the display's."""
    border = 2 * scale
    gap = max(1, scale // 6) if scale > 2 else 0
    large = (image.width * scale, image.height * scale)
    grain = Image.new("1", (scale, scale))
    grain.paste(1, (0, 0, scale - gap, scale - gap))
    grid = Image.new("1", large)
    for x in range(0, large[0], scale):
        grid.paste(grain, (x, 0))
    for y in range(scale, large[1], scale):
        grid.paste(grid.crop((0, 0, large[0], scale)), (0, y))
    glass = Image.new("RGB", large, _DARK)
    glass.paste(_UNLIT, (0, 0), grid)
    lit = image.resize(large, Image.Resampling.NEAREST)
    glass.paste(_GLOW, (0, 0), lit)
    glass.paste(_LIT, (0, 0), ImageChops.logical_and(grid, lit))
    framed = Image.new("RGB", (large[0] + 2 * border, large[1] + 2 * border), _DARK)
    framed.paste(glass, (border, border))
    return framed


def half_blocks(image: Image.Image) -> str:
    """The picture as text: 1×2 pixels to a character."""
    return _cells(image, (1, 2), " ▀▄█")


def quadrants(image: Image.Image) -> str:
    """The picture as text for a narrow terminal: 2×2 pixels to a character."""
    return _cells(image, (2, 2), " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")


def braille(image: Image.Image) -> str:
    """The picture as text for a small terminal: 2×4 pixels to a character."""
    return _cells(image, (2, 4), _BRAILLE)


def _braille(cell: int) -> str:
    # Unicode counts the dots of a cell down its columns, and the lowest row, added later, last.
    order = (0, 3, 1, 4, 2, 5, 6, 7)
    return chr(0x2800 + sum(1 << dot for pixel, dot in enumerate(order) if cell >> pixel & 1))


_BRAILLE = "".join(_braille(cell) for cell in range(256))


def _cells(image: Image.Image, cell: tuple[int, int], alphabet: str) -> str:
    """Text whose every character stands for `cell` pixels: bit n of its place in `alphabet` is pixel n, row by row."""
    columns, rows = cell
    pixels = image.convert("L").point(lambda v: 1 if v else 0).tobytes()
    width = image.width
    offsets = [row * width + column for row in range(rows) for column in range(columns)]
    return "\n".join(
        "".join(
            alphabet[sum(pixels[at + offset] << bit for bit, offset in enumerate(offsets))]
            for at in range(top, top + width, columns)
        )
        for top in range(0, len(pixels), rows * width)
    )
