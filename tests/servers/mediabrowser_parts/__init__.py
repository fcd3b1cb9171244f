"""What Jellyfin and Emby have in common, since they come from one program: the Authorization
header with its named values, devices that hold a token each, and the shape of users and sessions.

Where the two differ, each says so itself.
"""
