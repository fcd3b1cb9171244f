"""The add-on's texts by name.

Owns the names of the texts that the code asks for; the English words are in
resources/language/resource.language.en_gb/strings.po. Those that are in settings.xml alone have no
name, because Kodi wants bare numbers there. A test compares the three.
"""

from __future__ import annotations

ADDON_ID = "script.sessionkeeper"

IDS = {
    # Labels of settings
    "log_out": 30019,
    "session_details": 30017,
    "parameter_missing": 30088,
    "parameter_example": 30089,
    "choose_service": 30094,
    "service_from": 30095,
    # States shown in the settings
    "state_signed_out": 30100,
    "state_signed_in": 30101,
    "state_expired": 30102,
    "waiting_none": 30103,
    "unknown_account": 30104,
    "state_incomplete": 30105,
    "state_unavailable": 30107,
    # Logging in
    "ask_user_name": 30110,
    "ask_password": 30111,
    "logging_in": 30112,
    "logged_in": 30113,
    "unreachable": 30114,
    "unexpected": 30115,
    "nothing_lost": 30116,
    "refused": 30117,
    "try_again": 30118,
    "other_name": 30106,
    "not_encrypted": 30345,
    "not_encrypted_question": 30346,
    "log_in_anyway": 30347,
    # What a service asks besides
    "question_totp": 30340,
    "question_mail": 30341,
    "question_sms": 30342,
    "question_pin": 30343,
    "question_again": 30344,
    # Logging out
    "log_out_question": 30119,
    "confirm_logout": 30120,
    "confirm_logout_everywhere": 30121,
    "logging_out": 30122,
    "telling": 30139,
    "signed_out": 30123,
    "signed_out_deferred": 30124,
    "signed_out_unconfirmed": 30125,
    "signed_out_alive": 30138,
    "signed_out_rejected": 30126,
    "signed_out_local_only": 30127,
    "already_signed_out": 30128,
    "date_unknown": 30129,
    "sessions_ended": 30135,
    "sessions_ended_unknown": 30136,
    "remark": 30137,
    # Logging out of everything
    "log_out_of_everything": 30320,
    "everything_question": 30322,
    "everything_telling": 30323,
    "done_of_total": 30324,
    "everything_done": 30325,
    "everything_proved": 30326,
    "everything_later": 30327,
    "everything_by_itself": 30328,
    "everything_unknown": 30329,
    "everything_failed": 30330,
    "everything_waiting": 30331,
    "everything_waiting_unknown": 30336,
    "confirm_forget_unreadable": 30334,
    "not_forgotten": 30335,
    # Logouts that wait
    "draining": 30130,
    "logout_confirmed": 30131,
    "drained_none_waiting": 30132,
    "drained_some": 30133,
    "logout_rejected": 30134,
    # Session details
    "details_account": 30140,
    "details_email": 30141,
    "details_signed_in_at": 30142,
    "details_expires_at": 30143,
    "details_cookies": 30144,
    "details_waiting": 30145,
    "details_unknown": 30146,
    "details_none": 30147,
    "details_service": 30148,
    "details_stays": 30153,
    "details_renewed_at": 30154,
    "details_renews_at": 30155,
    "details_renewal_due": 30156,
    "details_ends_at": 30157,
    "details_leaves": 30158,
    "remaining_days": 30149,
    "remaining_hours": 30150,
    "remaining_minutes": 30151,
    "remaining_over": 30152,
    # Audit trail
    "audit_title": 30160,
    "audit_empty": 30161,
    # Forgetting
    "confirm_forget": 30170,
    "confirm_forget_signed_in": 30171,
    "confirm_forget_waiting": 30172,
    "forgotten": 30173,
    "forget_question": 30332,
    "erase": 30186,
    # Accounts
    "accounts_title": 30174,
    "account_active": 30175,
    "account_expired": 30176,
    "account_until": 30177,
    "account_stays": 30188,
    "add_account": 30178,
    "remove_account": 30179,
    "remove_which": 30185,
    # Which add-ons may use an account
    "permission_heading": 30300,
    "permission_question": 30301,
    "permission_hint": 30302,
    "allow": 30303,
    "not_now": 30304,
    "addons_line": 30305,
    "addons_title": 30306,
    "addon_allowed": 30307,
    "addon_refused": 30308,
    "account_used_by": 30309,
    # Buttons of other add-ons
    "button_wrong_verb": 30310,
    "button_no_provider": 30311,
    "button_no_addon": 30312,
    # Told by the service
    "told_session_expired": 30180,
    "told_vault_key_missing": 30181,
    "told_vault_key_wrong": 30182,
    "told_vault_damaged": 30183,
    "told_proxy_password_removed": 30184,
    "told_vault_rolled_back": 30187,
    "told_vault_vanished": 30333,
    # Logging in with a code
    "code_heading": 30190,
    "code_open_address": 30191,
    "code_enter": 30192,
    "code_scan": 30193,
    "code_remaining": 30194,
    "code_asking": 30195,
    "code_expired": 30196,
    "code_new": 30197,
    "cancel": 30198,
    # Where a service has several ways in
    "way_password": 30189,
    "way_device_code": 30199,
    "needs_browser": 30348,
    # Where the add-on cannot work at all
    "misfit_told": 30229,
    "misfit_install": 30230,
    "failed_unexpectedly": 30231,
    "data_directory_not_local": 30232,
    "data_directory_hint": 30233,
    "settings_unreadable": 30236,
    "proxy_address_has_password": 30234,
    "proxy_address_hint": 30235,
}
# The keeper's words: error codes, and the events and outcomes of the audit trail. Ids count up.
WORDS = (
    (
        30200,
        "error",
        "invalid_input unknown_provider invalid_provider not_signed_in "
        "credentials_refused session_expired unexpected_answer network_error tls_failure "
        "timeout host_not_allowed cancelled storage_error logout_incomplete "
        "version_mismatch internal_error code_expired login_denied unknown_account "
        "parameter_missing native_module_missing needs_permission encryption_missing "
        "answer_needed answer_refused",
    ),
    (
        30240,
        "event",
        "login logout restored renewed session_expired revoked vault_damaged forgotten "
        "tls_failure revocation_rejected revocation_expired switched update task_done "
        "task_failed audit_sink_failed revocation_dropped permission adopted unencrypted",
    ),
    (
        30260,
        "outcome",
        "revoked already_ended deferred unconfirmed rejected nothing_to_revoke "
        "key_missing key_wrong damaged ok cleared expired done failed rolled_back alive allowed "
        "refused withdrawn",
    ),
)
IDS.update(
    (f"{kind}_{word}", first + place)
    for first, kind, words in WORDS
    for place, word in enumerate(words.split())
)


def text(name: str, **values: object) -> str:
    """The localised text with its {placeholders} filled in."""
    import xbmcaddon

    words: str = xbmcaddon.Addon(ADDON_ID).getLocalizedString(IDS[name])
    return words.format(**values) if values else words
