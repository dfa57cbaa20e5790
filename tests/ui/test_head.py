"""What others see of the page before they open it."""

from minrnn.ui.head import DESCRIPTION, TITLE, with_head

THEIRS = b"""<html><head><meta property="og:title" content="Gradio" />
<meta
  name="twitter:image"
  content="https://example.org/x.jpg"
/><meta charset="utf-8" /></head><body>text</body></html>"""


def test_the_page_has_our_description_once_and_nothing_of_anybody_elses() -> None:
    page = with_head(THEIRS, "https://example.org").decode()
    assert page.count("og:title") == page.count("og:image") == 1
    assert "Gradio" not in page and "x.jpg" not in page
    assert TITLE in page and DESCRIPTION in page and 'charset="utf-8"' in page and "<body>text</body>" in page
