"At which rate a folder of recordings is read, and what is said about those of a lower one."
import re, warnings

import pytest

from audioclust.audio.clip_table import common_sample_rate

def said_of(folder, tone, **n_files):
    "The rate of a folder with so many files of each rate (`hz8000=2`), and the warning about it."
    folder.mkdir(exist_ok=True)
    for rate,n in n_files.items():
        for i in range(n): tone(folder/f"{rate}-{i}.wav", sr=int(rate[2:]), seconds=.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rate = common_sample_rate(folder.glob("*.wav"))
    said = [str(w.message) for w in caught if w.category is UserWarning] # and not of what other tests left open
    assert len(said) <= 1, said
    return rate, "".join(said)

def test_few_of_a_lower_rate_do_not_set_that_of_all(tmp_path, tone):
    "Two telephone recordings among many others: to follow them would throw away most of their sound."
    rate, said = said_of(tmp_path, tone, hz44100=32, hz8000=2)
    assert rate == 32000 and "6 % of the recordings" in said and "(2 of 34 headers" in said and "hz8000-0.wav" in said
    assert ("leave them out, or group them in a run of their own" in said and "rate 8000" not in said
            and "sample_rate" not in said)

@pytest.mark.parametrize("n_low, advised", [(2, None), (4, 8000), (8, 8000)])
def test_many_of_a_lower_rate_set_that_of_all(tmp_path, tone, n_low, advised):
    rate, said = said_of(tmp_path, tone, hz44100=20 - n_low, hz8000=n_low)
    assert rate == 32000 and f"({n_low} of 20 headers" in said
    assert ("--rate 8000" in said) == ("sample_rate=8000" in said) == (advised == 8000)

def test_a_single_low_rate_among_many_middle_ones_is_not_the_one_advised(tmp_path, tone):
    rate, said = said_of(tmp_path, tone, hz44100=12, hz16000=7, hz8000=1)
    assert rate == 32000 and "40 % of the recordings" in said
    assert re.search(r"that 95 % of the recordings have, and cluster with --rate 16000 ", said)

def test_the_advised_rate_is_never_above_that_of_most(tmp_path, tone):
    rate, said = said_of(tmp_path, tone, hz8000=2, hz11025=4, hz12000=2, hz16000=2, hz22050=2, hz24000=2)
    assert (rate == 11025 and "14 % of the recordings have a lower rate than 11025 Hz" in said
            and "leave them out" in said)

def test_recordings_of_one_rate_need_no_word(tmp_path, tone):
    assert said_of(tmp_path, tone, hz16000=5) == (16000, "")
    assert said_of(tmp_path/"more", tone, hz44100=100, hz8000=2)[1] == "", "2 % are not warned of"
    assert said_of(tmp_path/"one", tone, hz44100=5, hz8000=1)[1] == "", "nor is a single one"
