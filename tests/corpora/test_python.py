from minrnn.corpora import python


def test_the_text_is_about_a_million_characters_and_always_the_same() -> None:
    text = python.load().text
    assert 800_000 < len(text) < 1_500_000
    assert len(set(text)) < 200
    python.load.cache_clear()
    assert python.load().text == text
    assert "class ArgumentParser" in text
