"""A million clips: `audioclust cluster` on embeddings that are made, under a bound on memory; and how soon a large page opens.

    python benchmarks/million.py [--clips 1000000] [--max-memory 4G] [--only kmeans,levels,consensus,spectral,page] [--folder FOLDER]

What is made: 60 places drawn from a normal distribution of standard deviation 2 in 128 dimensions, clips around them with standard deviation 1, as float32 in
a file (512 MB for a million); and a list of clips of one second each, in recordings of an hour (one file of 29 MB, under as many names as
are needed). From there on all is real: whitening, the method, stability, the figures, and a listening page of 20,000 clips whose
search finds all of them. Each method runs as a user would run it, in a new process. `megabytes` is the most that the
process and those that it started held at a time (PSS), ten looks a second; `resident_megabytes` counts shared libraries wholly, as --max-memory does.

kmeans: 60 groups. levels: --n-clusters auto. consensus, spectral: 60 groups by that method.
page: a page of 100,000 clips, and the one of 20,000 of a million, in headless Chromium (software graphics): seconds from opening to the first
picture, milliseconds until the map stands after a group was chosen, and after the map was moved; and for the search among all names.

Rows are appended to benchmarks/results/million.csv. Goal: memory that does not grow beyond the bound, and times that one can wait for.
Not a goal: how good the groups are; what is made is easy. A million need 1 GB of disk, and some ten minutes for each method.
"""
import argparse, json, os, platform, shutil, subprocess, sys, tempfile, time
from pathlib import Path

import numpy as np
import psutil
import soundfile as sf

from appended import add_row, commit
from scale import ENVIRONMENT, memory

PLACES, SPREAD, DIMENSIONS, HOUR = 60, 2., 128, 3600
METHODS = dict(kmeans=["--n-clusters", "60"], levels=["--n-clusters", "auto"], consensus=["--n-clusters", "60", "--method", "consensus"],
               spectral=["--n-clusters", "60", "--method", "spectral"])


def make(folder, n):
    "Embeddings, recordings and the list of clips; returns the arguments that name them."
    sounds, embeddings, table = folder/"sounds", folder/f"{n}.npy", folder/f"{n}.csv"
    if not table.exists():
        rng = np.random.default_rng(0)
        places = SPREAD*rng.standard_normal((PLACES, DIMENSIONS), dtype=np.float32)
        x = np.lib.format.open_memmap(embeddings, "w+", np.float32, (n, DIMENSIONS))
        for i in range(0, n, 50_000):
            size = min(50_000, n - i)
            x[i:i + size] = rng.standard_normal((size, DIMENSIONS), dtype=np.float32) + places[rng.integers(PLACES, size=size)]
        x.flush()
        sounds.mkdir(exist_ok=True)
        first = sounds/"site00-tape000.wav"
        if not first.exists(): sf.write(first, .1*np.sin(np.arange(4000*HOUR)*(1 + np.arange(4000*HOUR)/HOUR/8000)), 4000, subtype="PCM_16")
        names = [sounds/f"site{i//24:02d}-tape{i:03d}.wav" for i in range(-(-n//HOUR))]
        for name in names:
            if not name.exists(): os.link(first, name)
        with open(table, "w") as f:
            f.write("path,start,end\n")
            f.writelines(f"{names[i//HOUR]},{i % HOUR},{i % HOUR + 1}\n" for i in range(n))
    return [str(sounds), "--embeddings", str(embeddings), "--clips", str(table)]


def run(command):
    "Seconds, and the most bytes held at a time: proportional shares, and resident."
    since, most, resident = time.perf_counter(), 0, 0
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said, env=ENVIRONMENT) as p:
        tree = psutil.Process(p.pid)
        while p.poll() is None:
            try: most, resident = max(most, memory(tree)), max(resident, sum(q.memory_info().rss for q in [tree, *tree.children(recursive=True)]))
            except psutil.Error: pass
            time.sleep(.1)
        said.seek(0)
        text = said.read().decode()
    if p.returncode: print(text)
    return time.perf_counter() - since, most, resident, p.returncode


def open_page(page):
    "How soon a page can be used, in headless Chromium."
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for a in ("--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--window-size=1500,950"): options.add_argument(a)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(300)
    def milliseconds(code, done="requestAnimationFrame(() => setTimeout(() => tell(performance.now() - since), 0))"):
        return round(driver.execute_async_script(f"const tell = arguments[0], since = performance.now(); {code}; {done}"))
    try:
        since = time.perf_counter()
        driver.get(page.resolve().as_uri())
        milliseconds("")
        found = dict(open_seconds=round(time.perf_counter() - since, 2), page_clips=driver.execute_script("return nClips"))
        found["choose_ms"] = sorted(milliseconds(f"choose({{cluster: {c}}})") for c in range(5))[2]
        milliseconds("choose({})")
        found["move_ms"] = sorted(milliseconds(f"pan({c}, 3)") for c in range(9))[4]
        if driver.execute_script("return data.others !== null"):
            search = "$('search').value = 'tape17'; draw()"
            found["first_search_ms"] = milliseconds(search, "(function look() { $('others-list').children.length ? tell(performance.now() - since) : setTimeout(look, 5) })()")
            found["search_ms"] = milliseconds("$('search').value = 'tape25'; draw()")
        return found
    finally: driver.quit()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--clips", type=int, default=1_000_000)
    p.add_argument("--max-memory", default="4G")
    p.add_argument("--only", default=",".join([*METHODS, "page"]))
    p.add_argument("--folder", type=Path)
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"million.csv")
    args = p.parse_args()
    where = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    def add(case, **row):
        values = {name: row.get(name, "") for name in COLUMNS}
        add_row(args.out, dict(case=case, clips=args.clips, max_memory=args.max_memory, **values, commit=commit(), machine=where))
    with tempfile.TemporaryDirectory() as tmp:
        folder = args.folder or Path(tmp)
        folder.mkdir(exist_ok=True, parents=True)
        given, command = make(folder, args.clips), [sys.executable, "-m", "audioclust"]
        for case in args.only.split(","):
            out = folder/f"run-{case}"
            if case == "page":
                subprocess.run([*command, "cluster", *make(folder, 100_000), "--out", str(out), "--n-clusters", "60", "--no-page", "-q", "--overwrite"], check=True, env=ENVIRONMENT)
                for run_folder,most in ((out, 100_000), (folder/"run-kmeans", 20_000)):
                    if not run_folder.exists(): continue
                    page = folder/f"{most}.html"
                    seconds, most_held, resident, _ = run([*command, "listen", str(run_folder), "--page", str(page), "--max-clips", str(most)])
                    add(f"page of {most:,}", seconds=round(seconds, 1), megabytes=round(most_held/1e6), resident_megabytes=round(resident/1e6), page_megabytes=round(page.stat().st_size/1e6, 1), **open_page(page))
                continue
            seconds, most, resident, status = run([*command, "cluster", *given, "--out", str(out), "--max-memory", args.max_memory, "--overwrite", *METHODS[case]])
            said = json.loads((out/"run.json").read_text()) if status == 0 else {}
            stages = said.get("made", {}).get("seconds", {})
            add(case, seconds=round(seconds, 1), megabytes=round(most/1e6), resident_megabytes=round(resident/1e6), status=status,
                clusters=said.get("clustering", {}).get("clusters", ""), stages=" ".join(f"{name} {s:.0f}" for name,s in stages.items()))


COLUMNS = "seconds megabytes resident_megabytes status clusters stages page_clips page_megabytes open_seconds choose_ms move_ms first_search_ms search_ms".split()

if __name__ == "__main__": main()
