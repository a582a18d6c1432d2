"""Store the figures of notebooks with few colours, where that takes less room.

    python .ci/figures.py [--colours 256] NOTEBOOK…

A notebook may have 300 kB (`tests/project/test_project.py`), and figures are most of it: curves, points and text are drawn
in a few colours and their mixtures, so a palette holds them. A figure that is smaller as it is stays as it is. Run it by
hand on a notebook that is too large, and look at the figures afterwards.
"""
import argparse, base64, io, json
from pathlib import Path

from PIL import Image


def fewer_colours(png, colours): # Bytes of a picture
    "The same picture with a palette, on white, with its resolution."
    with Image.open(io.BytesIO(png)) as picture:
        if picture.mode == "P" and len(picture.getcolors() or range(257)) <= colours: return png
        rgba = picture.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        out, dpi = io.BytesIO(), picture.info.get("dpi")
        white.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True, **({"dpi": dpi} if dpi else {}))
    return min(png, out.getvalue(), key=len)


def smaller(notebook, colours=256): # Path
    "Store the figures of a notebook anew; bytes before and after."
    before, nb = notebook.stat().st_size, json.loads(notebook.read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" not in data: continue
            kept = base64.b64decode("".join(data["image/png"]))
            made = fewer_colours(kept, colours)
            if made is not kept: data["image/png"] = base64.b64encode(made).decode()
    notebook.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return before, notebook.stat().st_size


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("notebooks", type=Path, nargs="+")
    p.add_argument("--colours", type=int, default=256)
    args = p.parse_args()
    for name in args.notebooks: print(name, "{:,} bytes, now {:,}".format(*smaller(name, args.colours)))
