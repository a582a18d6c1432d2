"Run folders of schema 3 that are written by hand, without the pipeline."
import pandas as pd
import pytest

from audioclust.core.files import write_json, write_table
from audioclust.runs.run_folder import SCHEMA


def record_of(run_id="run", by="content", **parts):
    "What run.json holds; entries of a part are added to it: clips=dict(inputs={}), …"
    record = dict(
        request=dict(method="kmeans", n_clusters=4, by=by, ignored=[], random_state=0),
        clips=dict(recordings="/sounds", inputs={}, clips=4, errors=0),
        embeddings=dict(n_cached=0),
        clustering=dict(clusterer={"class": "KMeans"}, clusters=4, noise=0, levels=[]),
        findings=dict(followed={}, differences={}, advice=[]),
        made=dict(run_id=run_id, created="2026-01-01T00:00:00+00:00", versions={}, seconds={}))
    for part, entries in parts.items(): record[part] = record[part] | entries
    return dict(schema=SCHEMA, complete=True, **record)


@pytest.fixture
def run_folder(tmp_path):
    "Writes a run folder: clip i of `rows` is second i of its own recording, and has the cluster of that row."
    def write(name="run", clusters=(0, 0, 1, 1), rows=None, by="content", **columns):
        rows = list(range(len(clusters))) if rows is None else list(rows)
        folder = tmp_path/name
        paths = [f"/sounds/{i:03d}.wav" for i in rows]
        table = pd.DataFrame(dict(path=paths, start=0., end=1., cluster=list(clusters)))
        table = table.assign(confidence=.9, representative=~table.cluster.duplicated(), **columns)
        table["clip_id"] = [f"{i:012x}" for i in rows]
        write_json(record_of(str(folder), by), folder/"run.json")
        write_table(table, folder/"clusters.csv")
        return folder
    return write
