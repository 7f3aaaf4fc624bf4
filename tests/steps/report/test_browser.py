"""The page in Chromium: no errors, no network requests, both themes, both widths, mouse and keyboard."""

import pytest
from chromium import WIDTHS, opened
from report_case import ATTACK, Case

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def browser(case, tmp_path_factory):
    with opened(case.report, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(case, browser):
    if not case.report.is_file():
        case.made()
    return browser


def rows(page, place):
    """Return the displayed texts of one column of the first table."""
    return page.texts(f"#table-id tbody tr td:nth-child({place})")


def becomes(page, place, expected):
    """Wait until a column of the first table has the expected values, ignoring intervals."""
    page.wait(lambda _: [text.split(" [")[0] for text in rows(page, place)] == expected)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_page_has_no_errors_and_no_horizontal_scroll(page, width, dark):
    page.open(dark=dark, width=width)
    page.complaints(), page.asked_for()
    page.open(dark=dark, width=width)
    assert page.complaints() == []
    assert page.asked_for() == [page.path.resolve().as_uri()]
    assert page.run("return document.documentElement.scrollWidth") == WIDTHS[width][0], (
        "the page does not scroll horizontally"
    )
    assert page.run("return document.querySelectorAll('[data-figure] svg.marks').length") == 2
    assert page.run("return document.documentElement.classList.contains('dark')") is dark
    shade = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, shade[4:-1].split(","))) < 384) is dark
    assert page.run("return window.attacked") is None


def test_table_sorts_by_number_on_click(page):
    page.open()
    assert rows(page, 1) == ["bm25", "bi-encoder", "bi-encoder", "bi-encoder"]
    page.run("document.querySelector('#table-id th[data-key=mean] .dt-column-order').click()")
    becomes(page, 4, ["0.1000", "0.2000", "0.3000", "0.4000"])
    page.run("document.querySelector('#table-id th[data-key=mean] .dt-column-order').click()")
    becomes(page, 4, ["0.4000", "0.3000", "0.2000", "0.1000"])


def test_table_sorts_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.open()
    head = page.find("#table-id th[data-key=mean] [role=button]")
    page.run("arguments[0].focus()", head)
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    becomes(page, 4, ["0.1000", "0.2000", "0.3000", "0.4000"])


def test_table_opens_with_its_first_measure_and_has_filters(page):
    page.open()
    assert page.texts("#table-id thead th")[3] == "mean [interval]", "the filtered column is hidden"
    assert len(rows(page, 1)) == 4
    choose = (
        "const s=[...document.querySelectorAll('#table-id .choices label')].find(l=>l.firstChild.data===arguments[0])"
    )
    choose += ".querySelector('select'); s.value=arguments[1]; s.dispatchEvent(new Event('change'))"
    page.run(choose, "measure", "")
    becomes(page, 4, ["nDCG@10"] * 4 + ["MRR@10"])
    page.run(choose, "recipe", "human")
    becomes(page, 4, ["0.4000", "0.9000"])
    assert page.texts("#table-id thead th")[:4] == ["ranker", "llm", "measure", "mean [interval]"]


def test_table_search_filters_rows(page):
    page.open()
    page.find("#table-id input[type=search]").send_keys("zero-shot")
    becomes(page, 2, ["zero-shot"])


def test_example_queries_show_texts_without_parsing_html(page):
    page.open()
    assert page.texts("#example h4")[:2] == ["human", "zero-shot by echo"]
    choose = "const s=document.getElementById(arguments[0]); s.value=arguments[1]; s.dispatchEvent(new Event('change'))"
    names = page.texts("#query option")
    page.run(choose, "query", str(names.index("How often?")))
    assert page.texts("#example .asked") == ["How often?"]
    assert {"A person wrote this.", ATTACK} <= {*page.texts("#example p")}
    assert f"Sure! {ATTACK}" in page.texts("#example pre")
    page.run(choose, "query", str(names.index("How warm?")))
    assert "truncated at the token limit; dropped (refusal)" in page.texts("#example p")
    page.run(choose, "kind", "ranked")
    assert page.texts("#example .asked") == ["Which tulip?"]
    assert len(page.texts("#example ol.order")) == 4
    assert page.run("return document.querySelectorAll('#example .good').length") == 4
    page.run(choose, "kind", "ordered")
    assert f"[2] > [1] {ATTACK}" in page.texts("#example pre")
    assert page.run("return window.attacked") is None
    assert page.run("return document.querySelectorAll('#example img, #example script').length") == 0


def test_theme_button_changes_the_colours(page):
    page.open()
    page.find("#theme").click()
    page.wait(lambda driver: driver.execute_script("return document.documentElement.dataset.drawn") == "dark")
    assert page.find("#theme").text == "Light colours"


def test_content_security_policy_blocks_other_scripts(page):
    page.open()
    page.run("const s=document.createElement('script'); s.textContent='window.attacked=1'; document.body.append(s)")
    page.run("document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=\"window.attacked=1\">')")
    assert page.run("return window.attacked") is None
    page.complaints()
