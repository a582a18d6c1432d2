"Models of the transformers library, tiny and with random weights: the same clip gives the same vector in any batch."
import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from audioclust.audio import load_audio
from audioclust.cli import main
from audioclust.encoders import load_encoder
from audioclust.pipeline import AudioClusterer
from audioclust.encoders import PretrainedEncoder, named_encoder

t = transformers
speech = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
    conv_dim=(8, 8), conv_stride=(10, 8), conv_kernel=(20, 10), num_conv_pos_embeddings=8,
    num_conv_pos_embedding_groups=2)
MODELS = {
    "ast": lambda: (t.ASTModel(t.ASTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16)), t.ASTFeatureExtractor()),
    "wav2vec2": lambda: (t.Wav2Vec2Model(t.Wav2Vec2Config(**speech)), t.Wav2Vec2FeatureExtractor()),
    "hubert": lambda: (t.HubertModel(t.HubertConfig(**speech)), t.Wav2Vec2FeatureExtractor()),
    "wavlm": lambda: (t.WavLMModel(t.WavLMConfig(**speech)), t.Wav2Vec2FeatureExtractor()),
    "whisper": lambda: (t.WhisperModel(t.WhisperConfig(d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        vocab_size=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=3)),
        t.WhisperFeatureExtractor()),
    "clap": lambda: (t.ClapModel(t.ClapConfig(text_config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, vocab_size=64), projection_dim=16,
        audio_config=dict(depths=[1, 1], num_attention_heads=[2, 2], patch_embeds_hidden_size=16, hidden_size=32,
        num_hidden_layers=2))), t.ClapFeatureExtractor()),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, tmp_path_factory):
    torch.manual_seed(0)
    at = tmp_path_factory.mktemp(request.param)
    net, front = MODELS[request.param]()
    net.save_pretrained(at); front.save_pretrained(at)
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
    # beside a long one
    np.testing.assert_allclose(e(wave, torch.tensor([len(mine), wave.shape[1]]))[0].numpy(), X[0], atol=1e-4)
    e.save(tmp_path/"kept")
    np.testing.assert_allclose(load_encoder(tmp_path/"kept").embed(clips.iloc[[2]], num_workers=0), X[[2]], atol=1e-5)


def test_the_whole_way(tmp_path, words, capsys):
    torch.manual_seed(0)
    net, front = MODELS["wav2vec2"]()
    net.save_pretrained(tmp_path/"tiny"); front.save_pretrained(tmp_path/"tiny")
    folder, _ = words
    assert main(["cluster", str(folder), "--out", str(tmp_path/"run"), "--n-clusters", "4", "--encoder",
        f"hf:{tmp_path/'tiny'}", "-q", "--no-page"]) == 0
    m = AudioClusterer.load(tmp_path/"run")
    assert type(m.encoder_).__name__ == "PretrainedEncoder"
    assert (m.assign(folder, []).cluster.to_numpy() == m.labels_).mean() > .99
    assert not list((tmp_path/"run/model").glob("encoder.safetensors"))
    assert main(["cluster", str(folder), "--out", str(tmp_path/"x"), "--encoder", f"hf:{tmp_path/'none'}", "-q"]) == 2
    assert main(["cluster", str(folder), "--out", str(tmp_path/"x"), "--encoder", "magic", "-q"]) == 2
    err = capsys.readouterr().err
    assert "could not be loaded" in err and "say 'auto'" in err and "Traceback" not in err


def test_remote_code_needs_consent(tmp_path):
    (tmp_path/"m").mkdir()
    (tmp_path/"m/config.json").write_text(
        '{"model_type": "mine", "auto_map": {"AutoConfig": "code.C", "AutoModel": "code.M"}}')
    (tmp_path/"m/preprocessor_config.json").write_text(
        '{"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000}')
    (tmp_path/"m/code.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match="code of its own"): PretrainedEncoder(str(tmp_path/"m"))


def test_entry_points(monkeypatch):
    from audioclust.core.registry import ENCODERS, Entry
    from audioclust.encoders import FixedEncoder
    for name, target in (("mine", FixedEncoder), ("odd", dict)):
        monkeypatch.setitem(ENCODERS._own, name, Entry(name, target))
    assert isinstance(named_encoder("mine"), FixedEncoder)
    with pytest.raises(ValueError, match="is no Encoder"): named_encoder("odd")
    with pytest.raises(ValueError, match="'mine', 'odd'"): named_encoder("yours")


def test_an_edited_feature_extractor_is_another_encoder(tmp_path):
    net, front = MODELS["wav2vec2"]()
    for name, normalise in ("a", True), ("b", False):
        front.do_normalize = normalise
        front.save_pretrained(tmp_path/"model"); net.save_pretrained(tmp_path/"model")
        if name == "a": first = PretrainedEncoder(str(tmp_path/"model")).fingerprint("cpu")
    assert PretrainedEncoder(str(tmp_path/"model")).fingerprint("cpu") != first
