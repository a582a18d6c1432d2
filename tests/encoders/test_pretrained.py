"Models of the transformers library, tiny and random: a clip gives the same vector, whatever it is embedded with."
import functools

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from audioclust.audio import load_audio
from audioclust.cli import main
from audioclust.core.files import write_json
from audioclust.core.registry import ENCODERS
from audioclust.encoders import FixedEncoder, load_encoder, named_encoder, PretrainedEncoder
from audioclust.pipeline import AudioClusterer

TINY = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
SPEECH = dict(**TINY, conv_dim=(8, 8), conv_stride=(10, 8), conv_kernel=(20, 10), num_conv_pos_embeddings=8,
              num_conv_pos_embedding_groups=2)
WHISPER = dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
               encoder_ffn_dim=16, decoder_ffn_dim=16, vocab_size=64, pad_token_id=0, bos_token_id=1, eos_token_id=2,
               decoder_start_token_id=3)
CLAP = dict(text_config=dict(**TINY, vocab_size=64), projection_dim=16,
            audio_config=dict(depths=[1, 1], num_attention_heads=[2, 2], patch_embeds_hidden_size=16, hidden_size=32,
                              num_hidden_layers=2))
MODELS = dict( # parts of the names of a model and its feature extractor, and what its configuration holds
    ast=("AST", "AST", TINY), wav2vec2=("Wav2Vec2", "Wav2Vec2", SPEECH), hubert=("Hubert", "Wav2Vec2", SPEECH),
    wavlm=("WavLM", "Wav2Vec2", SPEECH), whisper=("Whisper", "Whisper", WHISPER), clap=("Clap", "Clap", CLAP))

def save_tiny(name, folder, **settings):
    "Write a tiny model with random weights, and its feature extractor."
    torch.manual_seed(0)
    model, extractor, config = MODELS[name]
    config = getattr(transformers, f"{model}Config")(**config)
    getattr(transformers, f"{model}Model")(config).save_pretrained(folder)
    getattr(transformers, f"{extractor}FeatureExtractor")(**settings).save_pretrained(folder)


@pytest.fixture(scope="module", params=MODELS)
def model(request, tmp_path_factory):
    at = tmp_path_factory.mktemp(request.param)
    save_tiny(request.param, at)
    return at


@pytest.fixture(scope="module")
def clips(noises): return noises(.5, .05, 1., .5, 12., 3.)


def test_same_clip_same_vector(model, clips, tmp_path):
    e = PretrainedEncoder(str(model))
    X = e.embed(clips, num_workers=0)
    assert X.shape == (6, e.dim) and np.isfinite(X).all() and np.ptp(X, axis=0).max() > 1e-4
    for rows in ([1], [1, 4], [5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5]):
        np.testing.assert_allclose(e.embed(clips.iloc[rows], num_workers=0), X[rows], atol=1e-4)
    mine = load_audio(clips.path[0], e.sample_rate)[0]
    wave = torch.randn(2, 30*e.sample_rate)
    wave[0] = torch.nn.functional.pad(mine, (0, wave.shape[1] - len(mine)))
    beside_a_long_one = e(wave, torch.tensor([len(mine), wave.shape[1]]))[0].numpy()
    np.testing.assert_allclose(beside_a_long_one, X[0], atol=1e-4)
    e.save(tmp_path/"kept")
    np.testing.assert_allclose(load_encoder(tmp_path/"kept").embed(clips.iloc[[2]], num_workers=0), X[[2]], atol=1e-5)


def test_the_whole_way(tmp_path, words, capsys):
    save_tiny("wav2vec2", tmp_path/"tiny")
    folder, _ = words
    def cluster(run, encoder):
        typed = ["cluster", str(folder), "--out", str(tmp_path/run), "--n-clusters", "4", "--encoder", encoder]
        return main([*typed, "-q", "--no-page"])
    assert cluster("run", f"hf:{tmp_path/'tiny'}") == 0
    m = AudioClusterer.load(tmp_path/"run")
    assert type(m.encoder_).__name__ == "PretrainedEncoder"
    assert (m.assign(folder, []).cluster.to_numpy() == m.labels_).mean() > .99
    assert not list((tmp_path/"run/model").glob("encoder.safetensors"))
    assert cluster("x", f"hf:{tmp_path/'none'}") == cluster("x", "magic") == 2
    err = capsys.readouterr().err
    assert "could not be loaded" in err and "say 'auto'" in err and "Traceback" not in err


def test_remote_code_needs_consent(tmp_path):
    config = dict(model_type="mine", auto_map=dict(AutoConfig="code.C", AutoModel="code.M"))
    extractor = dict(feature_extractor_type="Wav2Vec2FeatureExtractor", sampling_rate=16000)
    write_json(config, tmp_path/"m/config.json")
    write_json(extractor, tmp_path/"m/preprocessor_config.json")
    (tmp_path/"m/code.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match="code of its own"): PretrainedEncoder(str(tmp_path/"m"))


def test_encoders_of_others(request):
    for name, target in (("mine", FixedEncoder), ("odd", dict)):
        ENCODERS.register(name, target)
        request.addfinalizer(functools.partial(ENCODERS.unregister, name))
    assert isinstance(named_encoder("mine"), FixedEncoder)
    with pytest.raises(ValueError, match="is no Encoder"): named_encoder("odd")
    with pytest.raises(ValueError, match="'mine', 'odd'"): named_encoder("yours")


def test_an_edited_feature_extractor_is_another_encoder(tmp_path):
    fingerprints = set()
    for normalise in True, False:
        save_tiny("wav2vec2", tmp_path/"model", do_normalize=normalise)
        fingerprints.add(PretrainedEncoder(str(tmp_path/"model")).fingerprint("cpu"))
    assert len(fingerprints) == 2
