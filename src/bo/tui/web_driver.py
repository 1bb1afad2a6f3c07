"""What drives the screen in a browser: Textual's own driver, which ends when the server that it draws for is gone."""

from __future__ import annotations

from textual import messages
from textual.drivers import web_driver


class WebDriver(web_driver.WebDriver):
    """Reads what the browser sends until nobody sends any more."""

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.call_from_thread(self._app.post_message, messages.ExitApp())
