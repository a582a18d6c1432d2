"Kits of one sound of each group, as a musician opens them."
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from test_export_tools import playlist
from test_samplers import files_of, kit_zones, preset_zones, same_sound, sfz_zones

from audioclust.cli import main
from audioclust.listen import to_kit
from audioclust.listen.formats.kits import drum_keys
from audioclust.pipeline import run_of_embeddings
from audioclust.runs import Request, Run, write_edits
from audioclust.runs.edits import Edits, NEW_GROUPS

RATE = 8000
SIZES = dict(kick=9, snare=5, closed_hat=8, open_hat=6, aux=4)

@pytest.fixture(scope="module")
def drums(tmp_path_factory):
    "Five groups around five points, whose first clip lies on the point; snares are MP3, open hats are parts of a recording."
    at, rng = tmp_path_factory.mktemp("drums"), np.random.default_rng(0)
    (at/"in").mkdir()
    rows, X = [], []
    sf.write(at/"in/open hats.wav", rng.uniform(-.5, .5, (4000, 2)), RATE)
    for group,(name,size) in enumerate(SIZES.items()):
        for i in range(size):
            file = at/f"in/{name} {i}{'.mp3' if name == 'snare' else '.wav'}"
            if name == "open_hat": rows.append((at/"in/open hats.wav", i*.08, i*.08 + .05, name))
            else:
                sf.write(file, rng.uniform(-.5, .5, 800), RATE)
                rows.append((file, 0., sf.info(file).duration, name))
            X.append(np.eye(5)[group]*10 + (i > 0)*np.linspace(-1, 1, size)[(i + group) % size]*np.ones(5)*.3)
    clips = pd.DataFrame(rows, columns=["path", "start", "end", "kind"])
    run = run_of_embeddings(np.array(X), clips[["path", "start", "end"]], Request(n_clusters=5))
    run.save(at/"run")
    kinds = pd.Series(clips.kind.to_numpy()).groupby(run.clustering.labels).agg(set)
    assert all(len(kind) == 1 for kind in kinds)
    write_edits(at/"run", Edits(names={number: kind.pop() for number,kind in kinds.items()}))
    return at

def opened(folder):
    "The zones of the three maps of a kit, which must agree, and the files of its playlist."
    name = folder.name
    zones = sfz_zones(folder/f"{name}.sfz")
    assert preset_zones(folder/f"{name}.dspreset") == zones
    assert sorted(kit_zones(folder/"drumkit.xml")) == sorted(zones)
    assert [folder/path for path,*_ in playlist(folder/f"{name}.m3u8")] == [path for _,path,*_ in zones]
    return zones

def test_a_kit_of_three_groups(drums, tmp_path, capsys):
    before = files_of(drums/"in")
    arguments = ["export", str(drums/"run"), "--to", "kit", "--out", str(tmp_path/"kit")]
    assert main([*arguments, "--groups", "snare, kick,open_hat"]) == 0
    said = capsys.readouterr().out
    assert "3 sounds in" in said
    assert "38 snare, 36 kick, 46 open_hat" in said
    assert "converted to WAV, for samplers: 1\n" in said
    zones = opened(tmp_path/"kit")
    assert [(key, path.name) for key,path,*_ in zones] == [(38, "01 snare.wav"), (36, "02 kick.wav"), (46, "03 open_hat.wav")]
    table = Run.open(drums/"run").table
    typical = table[table.representative].set_index("name")
    for name,zone in zip(("snare", "kick", "open_hat"), zones): assert same_sound(typical.loc[name], zone), name
    assert len(list((tmp_path/"kit").iterdir())) == 7 and files_of(drums/"in") == before

def test_all_groups_in_the_order_of_their_keys(drums, tmp_path):
    kit = to_kit(drums/"run", tmp_path/"kit")
    assert list(zip(kit.key, kit.group)) == [(36, "kick"), (37, "aux"), (38, "snare"), (42, "closed_hat"), (46, "open_hat")]
    assert opened(tmp_path/"kit")[1][1].name == "02 aux.wav"
    largest = to_kit(drums/"run", tmp_path/"two", max_groups=2)
    assert set(largest.group) == {"kick", "closed_hat"}
    assert "kick" not in set(to_kit(drums/"run", tmp_path/"without", without="kick").group)

def test_hats_cut_each_other_off(drums, tmp_path):
    to_kit(drums/"run", tmp_path/"kit")
    lines = (tmp_path/"kit/kit.sfz").read_text().splitlines()
    assert [line.split("sample=")[1] for line in lines if "group=1 off_by=1" in line] == ["04 closed_hat.wav", "05 open_hat.wav"]
    samples = ET.parse(tmp_path/"kit/kit.dspreset").getroot().iter("sample")
    assert [s.get("rootNote") for s in samples if s.get("tags") and s.get("tags") == s.get("silencedByTags")] == ["42", "46"]
    instruments = list(ET.parse(tmp_path/"kit/drumkit.xml").getroot().iter("{http://www.hydrogen-music.org/drumkit}instrument"))
    assert [i.findtext("{*}muteGroup") for i in instruments] == ["-1", "-1", "-1", "0", "0"]

def test_each_seed_draws_a_kit(drums, tmp_path):
    run = Run.open(drums/"run")
    def drawn(name, **options):
        return to_kit(run, tmp_path/name, **options).set_index("group")[["path", "start"]].apply(tuple, axis=1)
    kits = {seed: drawn(f"{seed}", seed=seed) for seed in range(8)}
    assert drawn("again", seed=3).equals(kits[3])
    assert drawn("fewer", seed=3, groups=["snare", "kick"]).equals(kits[3][["snare", "kick"]]), "others keep their draw"
    assert len({kit["kick"] for kit in kits.values()}) > 2
    table = run.table
    for name,clips in table.groupby("name"):
        X = run.embeddings.X[clips.index]
        far = np.linalg.norm(X - X.mean(0), axis=1).argsort(kind="stable")[-(len(clips)//2):]
        doubtful = {(str(clips.path.iloc[i]), clips.start.iloc[i]) for i in far}
        assert not doubtful & {(str(kit[name][0]), kit[name][1]) for kit in kits.values()}

def test_what_a_person_moved_and_merged(drums, tmp_path):
    run = Run.open(drums/"run")
    number = {name: int(run.table.cluster[run.table.name == name].iloc[0]) for name in SIZES}
    odd = run.table.clip_id[run.table.name == "kick"].iloc[-1]
    edited = run_of_embeddings(run.embeddings.X, run.table[["path", "start", "end"]], Request(n_clusters=5))
    edited.save(tmp_path/"run")
    names = {**{number[name]: name for name in SIZES}, NEW_GROUPS: "clap # 1"}
    write_edits(tmp_path/"run", Edits(names=names, merged={number["aux"]: number["snare"]}, clips={odd: NEW_GROUPS}))
    kit = to_kit(tmp_path/"run", tmp_path/"kit", ["clap # 1", str(number["aux"]), str(number["kick"])])
    assert kit.group.tolist() == ["clap # 1", "snare", "kick"] and kit.key.tolist() == [39, 38, 36]
    assert kit.path[0] == run.table.path[run.table.clip_id == odd].iloc[0] and kit.file[0] == "01 clap _ 1.wav"
    opened(tmp_path/"kit")

def test_a_sound_that_cannot_be_read_gives_way_to_the_next(drums, tmp_path):
    run = Run.open(drums/"run")
    typical = {name: clips for name,clips in run.table[run.table.representative].groupby("name")}
    clips = run.table[["path", "start", "end"]].copy()
    lost = clips.path == typical["kick"].path.iloc[0]
    lost |= run.table.name == "aux"
    clips.loc[lost, "path"] = [str(tmp_path/f"lost/gone {i}.wav") for i in range(lost.sum())]
    broken = run_of_embeddings(run.embeddings.X, clips, Request(n_clusters=5))
    broken.save(tmp_path/"run")
    write_edits(tmp_path/"run", Edits(names=dict(zip(run.table.cluster, run.table.name))))
    with pytest.warns(UserWarning, match="no sound of the group aux can be read"):
        kit = to_kit(tmp_path/"run", tmp_path/"kit")
    assert set(kit.group) == set(SIZES) - {"aux"} and "kick" in kit.path[0] and "gone" not in kit.path[0]
    with pytest.raises(ValueError, match="nothing to hand on"), pytest.warns(UserWarning):
        to_kit(tmp_path/"run", tmp_path/"k", ["aux"])
    assert not (tmp_path/"k").exists()

def test_what_is_refused(drums, tmp_path, capsys):
    def export(*more, to="kit", out="x"):
        return main(["export", str(drums/"run"), "--to", to, "--out", str(tmp_path/out), *more])
    for more,says in (["--groups", "tuba"], "no group 'tuba' for a kit: this run has aux, closed_hat"), \
                     (["--groups", "99"], "no group '99'"), (["--join"], "--join is for audacity, raven"), \
                     (["--groups", "kick", "--max-groups", "2"], "--groups names the groups of the kit: leave out --max-groups"):
        assert export(*more) == 2 and says in capsys.readouterr().err
    for more in ["--groups", "kick"], ["--max-groups", "2"], ["--seed", "0"]:
        assert export(*more, to="sfz") == 2 and f"{more[0]} is for kit" in capsys.readouterr().err
    assert main(["export", str(drums/"run"), "--to", "kit", "--out", str(drums/"in/kit")]) == 2
    assert "inside the recordings" in capsys.readouterr().err
    assert not (drums/"in/kit").exists()
    assert not list(tmp_path.iterdir())

def test_keys_of_general_midi():
    said = {"Kick": 36, "BD 909": 35, "snares": 38, "rimshot": 37, "Claps!": 39, "closed_hihat": 42, "open hi-hat": 46,
            "HH pedal": 44, "tom": 45, "Floor Tom": 41, "crash": 49, "ride": 51, "cow bell": 56, "bongos": 60, "congas": 63,
            "shaker": 70, "maracas": 69, "claves": 75, "woodblock 2": 76, "triangle": 81}
    assert dict(zip(said, drum_keys(said))) == said
    assert drum_keys(["chat", "brass", "kick", "kick", "kick", "3"]) == [37, 38, 36, 35, 39, 40]
    keys = drum_keys([f"cluster {i}" for i in range(92)])
    assert keys == list(range(36, 128))
