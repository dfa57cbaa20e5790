"""The benchmarks run, report and end; how fast is not asserted, for machines differ."""

from minrnn.bench import speed
from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel


def test_decoding_is_measured_for_every_model() -> None:
    models = {n: LanguageModel(ModelConfig(n, "\nab", n_layer=1, n_embd=16)).eval() for n in MODEL_NAMES}
    rates = speed.decode_rates(models, tokens=20)
    assert set(rates) == set(models) and min(rates.values()) > 0


def test_the_scan_is_measured_beside_the_loop_and_the_log_space_form() -> None:
    assert min(speed.scan_times((2, 5, 3))) > 0
