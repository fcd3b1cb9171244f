"""The Kodi side: settings buttons, dialogs, notifications, the start-up service.

The only package that imports xbmc modules. It decides nothing about sessions: it asks the keeper
and says what the keeper answered. Nothing here keeps a session or a keeper in a module global,
since Kodi may reuse an interpreter for another profile.
"""
