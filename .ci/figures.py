"""Store the figures of notebooks with a palette of 256 colours, where that takes less room: python .ci/figures.py NOTEBOOK…

A notebook may have 300 kB (`tests/project/test_project.py`), and figures are most of it. Run it by hand on a notebook that is
too large, and look at the figures afterwards.
"""
import base64, io, json, sys
from pathlib import Path

from PIL import Image


def fewer_colours(png):
    "The same picture with a palette, on white, with its resolution; as it is where that is smaller."
    with Image.open(io.BytesIO(png)) as picture:
        if picture.mode == "P": return png
        rgba, dpi = picture.convert("RGBA"), picture.info.get("dpi")
    white, out = Image.new("RGB", rgba.size, "white"), io.BytesIO()
    white.paste(rgba, mask=rgba.getchannel("A"))
    white.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True, **({"dpi": dpi} if dpi else {}))
    return min(png, out.getvalue(), key=len)


def smaller(notebook):
    "Store the figures of a notebook anew; bytes before and after."
    before, nb = notebook.stat().st_size, json.loads(notebook.read_text(encoding="utf-8"))
    for data in [o["data"] for cell in nb["cells"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]:
        data["image/png"] = base64.b64encode(fewer_colours(base64.b64decode("".join(data["image/png"])))).decode()
    notebook.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return before, notebook.stat().st_size


if __name__ == "__main__":
    for name in map(Path, sys.argv[1:]): print(name, "{:,} bytes, now {:,}".format(*smaller(name)))
