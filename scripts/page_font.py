"""Make the font of formulas on pages: python scripts/page_font.py STIXTwoMath-Regular.ttf

The font is in the wheel of ziamath, among others. What formulas of courses use is kept, with the
tables by which brackets and roots grow: 50 kB of 1.5 MB. fontTools comes with Matplotlib.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset

TARGET = Path(__file__).resolve().parent.parent / "nbreferee/pages/templates/mathematics.woff"
CHARACTERS = (
    "20-7E,A0,AC,B0,B1,B7,D7,F7,131,2013,2014,2016,2026,2032-2034,2061,2062,210B,2112,2115,"
    "211A,211D,2124,2102,2130,2113,2190-2194,21A6,21D0,21D2,21D4,2200,2202-2209,2211-2213,"
    "2217,2218,221A,221D,221E,2220,2225,2227-222B,222E,2234,2235,223C,2243,2245,2248,2260,"
    "2261,2264,2265,226A,226B,2282,2283,2286,2287,2295,2297,2299,22A4,22A5,22C5,22EE,22EF,"
    "22F1,2308-230B,23DE,23DF,25A1,25A0,27E8,27E9,2A7D,2A7E,302,303,304,305,307,20D7,"
    "1D434-1D467,210E,1D6FC-1D71B,1D6E4,1D6E5,1D6E9,1D6EC,1D6EF,1D6F1,1D6F4,1D6F7,1D6F9,"
    "1D6FA,393,394,398,39B,39E,3A0,3A3,3A6,3A8,3A9,3B1-3C9,3D1,3D5,3F5,1D400-1D433,"
    "1D538-1D551,1D7D9"
)


def main(font: str) -> None:
    """Write the font."""
    options = [
        "--layout-features=",
        "--flavor=woff",
        "--no-hinting",
        "--desubroutinize",
        "--notdef-outline",
        "--name-IDs=0,1,2,13,14",
    ]
    subset.main([font, f"--unicodes={CHARACTERS}", f"--output-file={TARGET}", *options])
    print(f"{TARGET}: {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1])
