"""All that is left of the add-on's own login."""

from sessionkeeper import AngelStudioSession as _AngelStudioSession


class AngelStudioSession(_AngelStudioSession):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs, adopt_settings=["jwt_token"])
