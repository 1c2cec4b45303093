"""The colours of all pages and figures, which stand out from light and from dark ground."""

INK = "#1f2933"  # of text and axes; on a page they take the colour of the text around them
SOFT = "#7b8794"  # of what stands back
#: first Okabe and Ito's, which colour-blind readers tell apart, without those that one ground would hide
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    SOFT,
    "#56b4e9",
    "#8c6bb1",
    "#a0522d",
    "#999933",
)
MARKERS = "osD^vPX"
ON_LIGHT, ON_DARK = "#10161c", "#ffffff"  # of numbers in cells, which keep their colour on every ground

#: the variables of the style sheet, for readers who prefer light, and for those who prefer dark
THEME = {
    "ink": (INK, "#e4e9ee"),
    "soft": ("#5c6b7a", "#a3b0bd"),
    "line": ("#d9e0e7", "#37424d"),
    "fill": (COLOURS[0], COLOURS[6]),
    "ground": ("#f6f8fa", "#14191e"),
    "card": ("#ffffff", "#1d242b"),
    "holds": ("#1d7a4c", "#5cc28f"),
    "fails": ("#b3392f", "#f08a80"),
    "undecided": ("#8a5f00", "#e0b050"),
}
