"""What is in front of every stand-in: TLS, a journal, a control interface, switchable faults.

    python -m tests.servers NAME [--port N] [--control-port N] [--directory D] [--with-parent]

prints one JSON line when it is ready: {"port", "control", "ca_file", "resolve", "parameters"}.

Parts: certificates and stream (TLS), edge (journal, faults, hands on to) upstreams (the service's
own HTTP servers); control (for tests); run (the command line). service.py is what a service brings.

Control interface (JSON)
    GET, DELETE /journal            {"requests": [journal.Entry], "connections": [...]}
    GET, PUT, DELETE /faults        PUT adds one rule; the first that fits and is not used up acts.
                                    GET also lists the names of all faults, "known"
    GET, POST /users                one user or a list; {"email", "password", "id", "name"}
    GET, DELETE /sessions           POST /sessions/{id}/end: ended by somebody else
    GET, PUT, DELETE /settings      settings.py and the service's; DELETE brings the defaults back
    POST /check                     {"jwt"}, {"cookies"} or {"refresh_token"}
                                    -> {"accepted", "session"}
    POST /approve                   {"user_code", "username", "password"} or {"user_code", "deny"};
                                    only where there is device login
    POST /authorize                 {"url", "username", "password"} or {"url", "deny"}
                                    -> {"location"}; only where one is led back with a code

A fault rule
    {"path": "/logout" or with *, "fault": NAME, "host": absent for any, "times": absent for ever}
    and parameters. For each fault but those of connections:
    ends    true: a logout so answered ends the session at the server all the same. Default false,
            so that calling it revoked is always wrong; true for ended_but_reset and delay.
            Other requests (a login's) are always carried out, except by status, html_200, json_200.
            (service.py, DRY_RUN: what a service does for this.)
    delay   seconds to wait before the answer

Proper HTTP, connection kept              parameters (defaults)
    status:CODE                           retry_after (a list gives several headers), body,
                                          location, date; nothing of the true answer is left
    html_200, json_200                    body; no cookies, no Location, the likeness of success
    with_status                           code (200): the true answer, proof and all, but its status
    delay                                 delay (1): the true answer, late
    extra_headers                         headers [[name, value]] added, Set-Cookie lines too
    many_cookies                          count (5000) more Set-Cookie lines
    wrong_encoding                        encoding (gzip): says so, but the body is plain
    no_location, empty_location
    wrong_location                        location (a page on the main host no logout leads to)
    evil_host, evil_port, evil_http, evil_userinfo, evil_subdomain, evil_scheme_relative,
    evil_backslash, evil_idn, evil_scheme (data:), evil_crlf
                                          location ({host}, {path}, {main}, {lookalike} are filled
                                          in), status (302)
    redirect_loop                         to itself
    redirect_chain                        hops (11), then the true answer; leave `times` absent
    no_deletion                           without any Set-Cookie
    partial_deletion                      cookies: names still deleted (all but the last)
    deletion_other_path, deletion_other_domain, deletion_host_only, deletion_other_name
                                          would delete other cookies than were set (host_only: where
                                          they were set with a Domain)
    deletion_future, deletion_never       empty values that live on
    deletion_max_age, deletion_with_value proper deletions in another form; give `ends`: a browser
                                          would be logged out. The same goes for a Location, which
                                          decides nothing beside deletions

Below HTTP, connection over afterwards
    reset_after_read                      RST instead of an answer
    ended_but_reset                       the same, but the session IS ended: the ambiguous case
    fin_without_answer                    an orderly end instead of an answer
    hang                                  no answer, until the client leaves
    mid_headers_reset, mid_body_reset     half an answer, then RST
    truncated                             half a body, then FIN without close_notify
    stall_headers, stall_body             half an answer, then silence until the client leaves
    100_continue_only, 103_then_reset
    slow_loris                            interval (1): seconds between two bytes
    malformed_status_line                 line ("HTTP/1.1 Found 302")
    two_content_lengths, cl_and_te, obs_fold, nul_in_header, bare_lf, http09
    header_1mib                           size (1 MiB)
    headers_10000                         count (10000)
    body_endless                          size (1 GiB), after which it breaks off
    large_body                            size (1 GiB), in order
    gzip_bomb                             size (64 MiB unpacked), layers (1), status
    raw                                   answer: the bytes as Latin-1 text

Connections: the path does not matter; with `host` it is the TLS server name that decides. Setting
one ends idle connections. They are listed in the journal's "connections".
    refuse                                closed at once (setting listening=false refuses properly)
    reset_before                          RST after the handshake, the request is not read
    stall_handshake                       the ClientHello is never answered
    tls_expired, tls_not_yet_valid, tls_wrong_host, tls_self_signed, tls_unknown_ca
    tls_old_version                       TLS 1.1 at most
The setting `tls` ("expired", …, "stall_handshake") does the same for every connection.

Not here: HTTP/2 (the client speaks HTTP/1.1 only, so does this), brotli and zstd, DNS.
"""
