"""Where the page walk goes, and what it does there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

PATIENCE = 300_000  # milliseconds: the machine may be busy
TALL = 5000
"""Height of the window in pixels: charts are drawn once they are in sight."""


def look(page: Page) -> None:
    """Looks only."""


@dataclass(frozen=True)
class Visit:
    """One page in one state.

    Attributes:
        name: as it is reported.
        path: what follows the address; ``{ranking}`` and the like are ids of finished runs.
        act: what is done once the page has settled.
        width: of the window in pixels.
        dark: in the dark theme.
    """

    name: str
    path: str
    act: Callable[[Page], None] = look
    width: int = 1280
    dark: bool = False


def _region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def _scrub(*steps: int) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        for step in steps:
            _region(page, "Playback").get_by_role("slider", name="Step").fill(str(step))
            page.wait_for_timeout(100)

    return act


def _click(region: str, button: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        _region(page, region).get_by_role("button", name=button, exact=True).first.click()

    return act


def _open_all(page: Page) -> None:
    """Opens what is folded away: settings, tables, pictures."""
    for name in ("More", "Numbers as a table", "Show"):
        for button in page.get_by_role("button", name=name, exact=True).all():
            button.click()
    for part in page.locator("details").all():
        if part.get_attribute("open") is None:
            part.locator("> summary").first.click()


def _help(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()


def _train(page: Page) -> None:
    _click("Playback", "Play")(page)
    page.wait_for_url("**/runs/**")


def _ask_what_if(page: Page) -> None:
    """Drags an arm's λ up in the middle of the run, and lets the fork come to its end."""
    slider = page.get_by_role("slider", name="Tikhonov λ, slider").last
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.get_by_text("the run as it was, before the change").wait_for(timeout=PATIENCE)
    page.wait_for_function(
        """() => {
            const slider = document.querySelector('[aria-label="Playback"] input[type=range]');
            return slider !== null && slider.value === slider.max;
        }""",
        timeout=PATIENCE,
    )


_STYLED = (
    "?step=10&xaxis=log&yaxis=log&smooth=3&charts=loss~newton_loss~log&plane=principal"
    "&shape=surface&height=linear&shading=own&vanishing=-3&exploding=1&colours=3~-~1"
)

VISITS = (
    Visit("start, all open", "", _open_all),
    Visit("help", "", _help),
    Visit("preset", "?preset=sgd"),
    Visit("preset of maps", "?preset=paths-smoothed-loss", _open_all),
    Visit("link with a spec", "?like={values}", _open_all),
    Visit("link that cannot be read", "?spec=none"),
    Visit("trained from the page", "?like={ranking}", _train),
    Visit("run at a step", "runs/{ranking}?step=7", _open_all),
    Visit("run, scrubbed", "runs/{ranking}?step=12", _scrub(3, 11, 0, 6)),
    Visit("run, styled", f"runs/{{ranking}}{_STYLED}"),
    Visit("run, dark and presented", "runs/{ranking}?step=9&present=1", dark=True),
    Visit("run, narrow", "runs/{ranking}?step=5&plane=arms&points=21", width=390),
    Visit("run, with another", "runs/{ranking}?step=12&with={longer}"),
    Visit("run, what if", "runs/{ranking}?step=5", _ask_what_if),
    Visit("surface run", "runs/{surfaces}?step=30", _open_all),
    Visit("maps run", "runs/{perturbed}?step=6", _open_all),
    Visit("run with an end and a divergence", "runs/{values}?step=24"),
    Visit("no run", "runs/0123456789ab"),
    Visit("surfaces", "surfaces"),
    Visit("surfaces, chosen", "surfaces?function=himmelblau&step=7&lr=0.01&quadratic=1"),
    Visit("surfaces, bad formula", "surfaces?function=formula&formula=x%20%2B"),
    Visit("three numbers", "three-numbers"),
    Visit("three numbers, chosen", "three-numbers?loss=cauchy_dsn&range=2&step=11", _open_all),
    Visit("gradients", "gradients", _open_all),
    Visit("gradients, chosen", "gradients?loss=logistic_dsn&n=4&network=bitonic&temperature=2"),
    Visit("gradients of a run", "gradients?run={ranking}&step=6&arm=2"),
    Visit("runs", "runs"),
    Visit("no page", "nowhere"),
)
"""The report of a run comes after these, as a file."""
