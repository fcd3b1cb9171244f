"""Makes a wiki with MediaWiki's own scripts, and gives it users."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

from . import install

# Added to the settings that the installer writes.
_OURS = """
# A user name may be an e-mail address here, any password will do, and one may try for ever.
$wgInvalidUsernameCharacters = ':';
$wgPasswordPolicy['policies'] = [ 'default' => [] ];
$wgPasswordAttemptThrottle = [];
# This is a test server: its passwords need no time.
$wgPasswordConfig['pbkdf2']['cost'] = '1';
$wgShowExceptionDetails = true;
foreach ( [ 'exception', 'fatal' ] as $group ) {
    $wgDebugLogGroups[$group] = __DIR__ . '/mediawiki.log';
}
"""


class Wiki:
    def __init__(self, directory: Path, base: str) -> None:
        self._directory = directory
        self._base = base
        self.settings = directory / "LocalSettings.php"

    def make(self) -> None:
        """Where it is not yet; a start that was killed is done again."""
        if self.settings.exists():
            return
        made = self._directory / "made"
        for file in (*self._directory.glob("wiki*.sqlite"), made / self.settings.name):
            file.unlink(missing_ok=True)
        made.mkdir(exist_ok=True)
        self._run(
            "install.php",
            *("--dbtype", "sqlite", "--dbpath", str(self._directory), "--dbname", "wiki"),
            *("--confpath", str(made), "--server", self._base, "--scriptpath", ""),
            *("--skins", "Vector", "--pass", secrets.token_urlsafe(), "Demo wiki", "Keeper"),
        )
        written = made / self.settings.name
        with written.open("a", encoding="utf-8") as settings:
            settings.write(_OURS)
        written.rename(self.settings)

    def put_user(self, user_name: str, password: str) -> None:
        self._run("createAndPromote.php", "--force", user_name, password)

    def _run(self, script: str, *arguments: str) -> None:
        """Raises ValueError with what the script says."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        if self.settings.exists():
            environment["MW_CONFIG_FILE"] = str(self.settings)
        command = ["php", str(install.directory() / "maintenance" / script), *arguments]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        if ended.returncode != 0:
            raise ValueError(f"{script} failed:\n{ended.stdout}{ended.stderr}")
