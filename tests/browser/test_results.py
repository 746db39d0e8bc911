"""The page of the results that ship with the lab."""

from playwright.sync_api import Browser, expect

from tests.app.harness import LabServer
from tests.browser.lab_page import LabPage, Watch


def test_a_result_stands_beside_the_command_that_computes_it(
    browser: Browser, server: LabServer, watch: Watch
) -> None:
    lab = LabPage.open(browser, server.url, watch, width=390)
    lab.go("results?name=figure6-small")
    main = lab.page.get_by_role("main")
    expect(main.get_by_text("newton-lab reproduce figure6 --scale small")).to_be_visible()
    expect(main.get_by_label("Show")).to_have_value("figure6-small")
    glance = main.get_by_label("Means of all rows")
    row = glance.get_by_role("row", name="NeuralSort, n = 5, as the literature computes it")
    expect(row.get_by_role("cell").nth(1)).to_contain_text("better")
    forest = main.get_by_role("img", name="Fisher: ")
    expect(forest.first).to_be_visible()
    overflow = lab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page scrolls sideways"
    lab.close()
