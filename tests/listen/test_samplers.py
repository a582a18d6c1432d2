"Maps for samplers, read back by the rules of the programs that they are for."
import errno
import os
import re
import shutil
import sys
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from audioclust.audio import synthetic_sounds
from audioclust.cli import main
from audioclust.listen import to_decent_sampler, to_hydrogen, to_sfz
from audioclust.listen.formats import samples
from audioclust.listen.formats.folders import new_folder, safe_name
from audioclust.pipeline import grow, make_run, run_of_embeddings
from audioclust.runs import Edits, Request, Run, write_edits

RATE = 8000
SAVED = dict(PCM_24=dict(file="24.flac", subtype="PCM_24"), ULAW=dict(file="u law.wav", subtype="ULAW"),
             OPUS=dict(file="o.opus", format="OGG", subtype="OPUS"), VORBIS=dict(file="v #1.ogg"), MP3=dict(file="été.mp3"),
             FLOAT=dict(file="float.wav", subtype="FLOAT"), DOUBLE=dict(file="double.wav", subtype="DOUBLE"),
             AMBIGUOUS=dict(file="x=1 $.wav"), AIFF=dict(file="A.AIFF", subtype="PCM_16", format="AIFF"), DISGUISED=dict(file="flac.wav", subtype="PCM_16", format="FLAC"))

def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

@pytest.fixture(scope="module")
def library(tmp_path_factory):
    "A run of sounds in ten encodings, of a recording with two channels that was cut, and of one that is gone."
    at, rng = tmp_path_factory.mktemp("library"), np.random.default_rng(0)
    (at/"sounds").mkdir()
    for i,how in enumerate(SAVED.values()):
        kind = {name: value for name,value in how.items() if name != "file"}
        sf.write(at/"sounds"/how["file"], rng.uniform(-.5, .5, (900 + 10*i, 1 + i % 2)), RATE, **kind)
    sf.write(at/"sounds/fake.wav", rng.uniform(-.5, .5, 2000), RATE, format="MP3")
    for name in "night.wav", "night.ogg", "gone.wav": sf.write(at/"sounds"/name, rng.uniform(-.5, .5, (4000, 2)), RATE)
    rows = [(how["file"], 0., sf.info(at/"sounds"/how["file"]).duration) for how in SAVED.values()]
    rows += [("fake.wav", 0., sf.info(at/"sounds/fake.wav").duration), ("gone.wav", 0., .5)]
    rows += [(name, start, start + .2) for name in ("night.wav", "night.ogg") for start in (.05, .25)]
    clips = pd.DataFrame(rows, columns=["path", "start", "end"])
    clips["path"] = [str(at/"sounds"/path) for path in clips.path]
    run_of_embeddings(rng.normal(size=(len(clips), 3)), clips, Request(n_clusters=1)).save(at/"run")
    write_edits(at/"run", Edits(names={0: "Low / \"drum\"\n<x> & é"}))
    (at/"sounds/gone.wav").unlink()
    return at, clips

@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    "A run of two times eight tones of a whole-tone scale, and their notes."
    at, t = tmp_path_factory.mktemp("tones"), np.arange(RATE//2)/RATE
    notes = 50. + 2*(np.arange(16) % 8)
    for i,note in enumerate(notes):
        wave = sum(np.sin(2*np.pi*440*2**((note - 69)/12)*h*t + h)/h for h in range(1, 9))
        sf.write(at/f"{i:02d}.wav", .3*wave*np.exp(-3*t), RATE)
    return make_run(at, Request(n_clusters=1)).save(at/"run"), notes

def sfz_zones(file):
    "(key, path, first frame, last frame) of each region, as sfizz reads an SFZ: a value ends before the next opcode."
    header, zones = None, []
    for line in file.read_text(encoding="utf-8").splitlines():
        line = re.split("//|/[*]", line)[0].rstrip()
        found = re.match(r"<(\w+)>", line)
        assert found or not line, f"no header: {line}"
        if not found: continue
        opcodes = dict(re.findall(r"(\w+)=(.*?)(?=\s+\w+=|\s*<|\s*$)", line[found.end():]))
        assert not re.search("[=<$]", opcodes.get("sample", "")), "not all readers agree on where such a name ends"
        assert set(opcodes) <= {"loop_mode", "key", "group", "off_by", "offset", "end", "sample"}
        assert line[found.end():].split() == " ".join(f"{k}={v}" for k,v in opcodes.items()).split(), "something is left over"
        if found[1] == "global": header = opcodes
        else:
            last = opcodes.get("end")
            zones.append((int(opcodes["key"]), file.parent/opcodes["sample"], int(opcodes.get("offset", 0)), last and int(last)))
    assert header == {"loop_mode": "one_shot"}
    return zones

OF_SAMPLES = {"path", "rootNote", "loNote", "hiNote", "start", "end", "tags", "silencedByTags"}

def preset_zones(file):
    "The same of a preset, as the guide of Decent Sampler describes it."
    root = ET.parse(file).getroot()
    assert root.tag == "DecentSampler" and [child.tag for child in root] == ["groups"]
    assert set(root[0].attrib) <= {"attack", "decay", "sustain", "release", "releaseCurve"}
    assert [child.tag for child in root[0]] == ["group"] and set(root[0][0].attrib) == {"name"}
    zones = []
    for sample in root[0][0]:
        assert sample.tag == "sample" and set(sample.attrib) <= OF_SAMPLES
        key, path = int(sample.get("rootNote")), file.parent/sample.get("path")
        assert sample.get("loNote") == sample.get("hiNote") == str(key) and 1 <= key <= 127
        assert path.suffix.lower() in (".wav", ".aif", ".aiff", ".flac")
        assert path.name in os.listdir(path.parent), "the letters are as large as on the disk"
        last = sample.get("end")
        zones.append((key, path, int(sample.get("start", 0)), last and int(last)))
    return zones

H2 = "{http://www.hydrogen-music.org/drumkit}"
OF_KIT = "name author info license image imageLicense componentList instrumentList".split()
OF_INSTRUMENT = ("id name volume isMuted isSoloed pan_L pan_R pitchOffset randomPitchFactor gain applyVelocity filterActive "
                 "filterCutoff filterResonance Attack Decay Sustain Release muteGroup midiOutChannel midiOutNote isStopNote "
                 "sampleSelectionAlgo isHihat lower_cc higher_cc instrumentComponent").split()
WHOLE = "id Attack Decay Release muteGroup midiOutChannel midiOutNote isHihat lower_cc higher_cc".split()
TRUTHS = "isMuted isSoloed applyVelocity filterActive isStopNote".split()
SHARES = "pan_L pan_R randomPitchFactor filterCutoff filterResonance Sustain".split()

def tags_of(element): return [child.tag.removeprefix(H2) for child in element]

def kit_zones(file):
    "The same of a drum kit, as drumkit.xsd of Hydrogen 1.2 has it: all elements in their order, with values of their types."
    root = ET.parse(file).getroot()
    assert root.tag == f"{H2}drumkit_info" and tags_of(root) == OF_KIT and root.findtext(f"{H2}name")
    components = root.find(f"{H2}componentList")
    assert [tags_of(component) for component in components] == [["id", "name", "volume"]]
    zones = []
    for number,instrument in enumerate(root.find(f"{H2}instrumentList")):
        assert instrument.tag == f"{H2}instrument" and tags_of(instrument) == OF_INSTRUMENT
        said = {child.tag.removeprefix(H2): child.text for child in instrument}
        assert all(re.fullmatch(r"-?\d+", said[name]) for name in WHOLE) and int(said["id"]) == number
        assert all(said[name] in ("true", "false") for name in TRUTHS)
        assert all(0 <= float(said[name]) <= 1 for name in SHARES)
        part = instrument.find(f"{H2}instrumentComponent")
        assert tags_of(part) == ["component_id", "gain", "layer"] and part[0].text == components[0][0].text
        assert tags_of(part[2]) == ["filename", "min", "max", "gain", "pitch"]
        name = part[2][0].text
        assert "/" not in name and (float(part[2][1].text), float(part[2][2].text)) == (0, 1)
        zones.append((int(said["midiOutNote"]), file.parent/name, 0, None))
    return zones

FORMATS = dict(sfz=(to_sfz, "*.sfz", sfz_zones), decentsampler=(to_decent_sampler, "*.dspreset", preset_zones),
               hydrogen=(to_hydrogen, "*/drumkit.xml", kit_zones))

def same_sound(clip, zone):
    "Does a zone sound like a clip, at its rate, with its channels and its whole length?"
    _, path, first, last = zone
    ours, rate = sf.read(path, always_2d=True)
    ours = ours[first:None if last is None else last + 1]
    theirs, own = sf.read(clip.path, always_2d=True)
    theirs = theirs[round(clip.start*own):round(clip.end*own)]
    return rate == own and ours.shape == theirs.shape and np.abs(ours - theirs).max() < 2**-20

@pytest.mark.parametrize("to", FORMATS)
def test_each_clip_lies_on_a_key_and_sounds_the_same(library, tmp_path, to, capsys):
    at, clips = library
    before = files_of(at/"sounds")
    write, pattern, zones_of = FORMATS[to]
    assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/"out")]) == 0
    (file,) = (tmp_path/"out").glob(pattern)
    zones = zones_of(file)
    readable = clips[~clips.path.str.contains("gone")]
    assert [zone[0] for zone in zones] == list(range(36, 36 + len(readable)))
    found = [[same_sound(clip, zone) for zone in zones] for clip in readable.itertuples()]
    np.testing.assert_array_equal(np.sum(found, 0), 1)
    np.testing.assert_array_equal(np.sum(found, 1), 1)
    n_converted = 6 if to == "sfz" else 9 # SFZ plays Ogg Vorbis where it lies: a whole file, and two parts
    said = capsys.readouterr()
    assert f"converted to WAV, for samplers: {n_converted}\n" in said.out
    assert "clips left out, which cannot be read: 1" in said.err and files_of(at/"sounds") == before

def test_tones_lie_on_the_keys_of_their_notes(tmp_path, tones):
    run, notes = tones
    assert (run.table.midi_note.round() == notes).all() and Run.open(run.folder).findings.midi_note is not None
    to_sfz(run, tmp_path/"sfz"), to_decent_sampler(run, tmp_path/"presets")
    said = (tmp_path/"sfz/cluster 0.sfz").read_text()
    assert "lokey=50 hikey=51 pitch_keycenter=50 seq_length=2 seq_position=1" in said and said.count("<region>") == 16
    samples = ET.parse(tmp_path/"presets/cluster 0.dspreset").getroot()[0][0]
    found = {(sample.get("rootNote"), sample.get("hiNote"), sample.get("seqPosition")) for sample in samples}
    assert {("50", "51", "1"), ("50", "51", "2"), ("64", "64", "2")} <= found and len(found) == 16
    more = grow(run, run.table.path.iloc[:2].map(lambda path: shutil.copy(path, tmp_path/f"new-{Path(path).name}")).tolist(), n_new=0)
    assert np.isfinite(more.findings.midi_note).sum() == 18

def test_encodings_of_what_was_converted(library, tmp_path):
    at, clips = library
    to_hydrogen(at/"run", tmp_path/"out")
    (kit,) = (tmp_path/"out").iterdir()
    kinds = {path.name: sf.info(path).subtype for path in kit.iterdir() if path.suffix != ".xml"}
    for name in "u law.wav", "o.wav", "été.wav", "v #1.wav", "double.wav", "fake.wav": assert kinds[name] == "PCM_24", name
    assert sf.info(kit/"flac.wav").format == "WAV" and kinds["flac.wav"] == "PCM_16"
    assert kinds["float.wav"] == "FLOAT" and kinds["24.flac"] == "PCM_24" and kinds["night.wav"] == "PCM_16"
    for name,copy in ("float.wav", "float.wav"), ("24.flac", "24.flac"), ("x=1 $.wav", "x_1 _.wav"), ("A.AIFF", "A.aiff"):
        assert (kit/copy).read_bytes() == (at/"sounds"/name).read_bytes()

def test_what_a_decoder_gives_beyond_1_is_kept(tmp_path):
    (tmp_path/"in").mkdir()
    square = np.sign(np.sin(np.arange(4000)*.05))*.999
    sf.write(tmp_path/"in/loud.mp3", square, RATE)
    loud, _ = sf.read(tmp_path/"in/loud.mp3")
    assert np.abs(loud).max() > 1.01
    clips = pd.DataFrame(dict(path=[tmp_path/"in/loud.mp3"]*2, start=[0., .1], end=[.1, len(loud)/RATE]))
    to_sfz(run_of_embeddings(np.eye(2), clips, Request(n_clusters=1)), tmp_path/"out")
    zones = sfz_zones(tmp_path/"out/cluster 0.sfz")
    for zone in zones: assert sf.info(zone[1]).subtype == "FLOAT"
    assert sum(same_sound(clip, zone) for clip in clips.itertuples() for zone in zones) == 2

def test_more_clips_than_keys(tmp_path):
    (tmp_path/"s").mkdir()
    for i in range(95): sf.write(tmp_path/f"s/{i:03}.wav", np.zeros(80) + i/200, RATE)
    clips = pd.DataFrame(dict(path=[tmp_path/f"s/{i:03}.wav" for i in range(95)], start=0., end=.01))
    run = run_of_embeddings(np.random.default_rng(0).normal(size=(95, 3)), clips, Request(n_clusters=1))
    for write, pattern, zones_of in FORMATS.values():
        assert write(run, tmp_path/pattern[-4:]) == (2, 0, 0)
        files = sorted((tmp_path/pattern[-4:]).glob(pattern))
        assert sorted(len(zones_of(file)) for file in files) == [3, 92] and " part 2" in str(files[0]) + str(files[1])
        assert max(zone[0] for file in files for zone in zones_of(file)) == 127

def test_a_channel_alone(tmp_path):
    (tmp_path/"in").mkdir()
    left, right = np.full(400, .25), np.full(400, -.25)
    sf.write(tmp_path/"in/two.wav", np.stack([left, right], 1), RATE)
    clips = pd.DataFrame(dict(path=tmp_path/"in/two.wav", start=0., end=.05, channel=[1, 2]))
    to_sfz(run_of_embeddings(np.eye(2), clips, Request(n_clusters=1)), tmp_path/"out")
    heard = [sf.read(path)[0] for _,path,*_ in sfz_zones(tmp_path/"out/cluster 0.sfz")]
    assert sorted(float(x.mean()) for x in heard) == [-.25, .25] and all(x.shape == (400,) for x in heard)

@pytest.mark.parametrize("to", FORMATS)
def test_a_stop_in_the_middle_leaves_nothing(library, tmp_path, monkeypatch, capsys, to):
    at, _ = library
    before, copy, n = files_of(at/"sounds"), samples.copy_sample, [0]
    def stopping(*args):
        n[0] += 1
        if n[0] == 3: raise stop
        return copy(*args)
    monkeypatch.setattr(samples, "copy_sample", stopping)
    (tmp_path/"empty").mkdir()
    for out in "new", "empty":
        for stop,says in (KeyboardInterrupt(), ""), (OSError(errno.ENOSPC, "no"), "the disk is full"):
            n[0] = 0
            assert main(["export", str(at/"run"), "--to", to, "--out", str(tmp_path/out)]) != 0
            assert n[0] == 3 and says in capsys.readouterr().err
            assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    assert files_of(at/"sounds") == before

def test_a_folder_of_others_is_left_alone(library, tmp_path, capsys):
    at, _ = library
    (tmp_path/"mine").mkdir()
    (tmp_path/"mine/.hidden").write_text("mine")
    for out,says in (tmp_path/"mine", "is not empty"), (tmp_path/"mine/.hidden", "is a file"), \
                    (at/"sounds/maps", "inside the recordings"):
        for to in FORMATS:
            assert main(["export", str(at/"run"), "--to", to, "--out", str(out)]) == 2
            assert says in capsys.readouterr().err
    assert files_of(tmp_path) == {"mine/.hidden": b"mine"} and not (at/"sounds/maps").exists()

DEVICES = "con", "PRN", "aux.tar.gz", "Nul.", "com1", "LPT9.x", "com³", "con "

def test_names_that_every_system_takes():
    taken = set()
    texts = ["Kick", "kick", "KICK.", " kick ", "é", "e\u0301", "ß", "ss", "a/b\\c:d*?\"<>|", "\x00\n", "", "..", "日"*200, *DEVICES]
    names = [safe_name(text, taken) for text in texts]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(texts)
    for name in names:
        assert not re.search(r'[\x00-\x1f<>:"/\\|?*]', name) and name == name.strip(" .") and name
        assert len(name.encode()) < 210 and not re.fullmatch(r"(?i)(con|prn|aux|nul|com\S|lpt\S)(\..*)?", name), name

def test_a_new_folder_is_there_at_once(tmp_path):
    with new_folder(tmp_path/"a/b") as hidden:
        (hidden/"x").mkdir()
        (hidden/"x/y").write_text("y")
        assert not (tmp_path/"a/b").exists()
    assert files_of(tmp_path) == {"a/b/x/y": b"y"}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are text")
def test_names_of_any_bytes_are_in_maps(tmp_path):
    folder = tmp_path/"sounds"
    paths = synthetic_sounds(2, 3).save(folder).path.tolist()
    Path(paths[0]).rename(folder/os.fsdecode(b"a\xff\x01.wav"))
    run = make_run(folder, Request(n_clusters=2))
    to_hydrogen(run, tmp_path/"kits")
    for file in (tmp_path/"kits").rglob("drumkit.xml"): ET.parse(file)

def test_what_a_killed_export_leaves_is_removed_by_the_next(tmp_path):
    import signal, subprocess, sys
    code = """if True:
        import os, signal, sys
        from audioclust.listen.formats.folders import new_folder
        with new_folder(sys.argv[1]) as hidden:
            (hidden/"x").mkdir()
            os.kill(os.getpid(), signal.SIGKILL)"""
    mine = tmp_path/".0123456789ab"
    mine.mkdir()
    for out in tmp_path/"kit", tmp_path/"empty": # a place for a folder, and a folder
        if out.name == "empty": out.mkdir()
        assert subprocess.run([sys.executable, "-c", code, str(out)]).returncode == -signal.SIGKILL
        assert len([*tmp_path.rglob(".audioclust-*")]) == 2
        with new_folder(tmp_path/"other") as living:
            with new_folder(out) as hidden: (hidden/"y").mkdir()
            assert living.is_dir(), "another writer is at work"
        shutil.rmtree(tmp_path/"other")
        assert (out/"y").is_dir() and not [*tmp_path.rglob(".audioclust-*")] and mine.is_dir()
