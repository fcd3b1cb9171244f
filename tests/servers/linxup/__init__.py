"""Stand-in for a Linxup shop: a storefront, and behind it an auth API on a port of its own.

    python -m tests.servers linxup [--port N] [--control-port N] [--directory D] [--with-parent]
    python -m tests.servers linxup.plain …          http://localhost, see plain.py

Parts: storefront over shop (products, carts, customer numbers) forwards over HTTP to auth_api over
accounts (people, sessions, tokens); service (what tests/servers/front needs); settings.

Below https://shop.linxup-demo.example/shop/api
    POST linxup/auth/login      {"username", "password"} -> {"success", "person"}, four cookies
    POST linxup/auth/refresh    new access_token and refresh_token; 401 when the session is over
    POST linxup/auth/logout     {"success": true} whatever the auth API answered; its status and
                                its Set-Cookie lines decide. 500 when it cannot be reached
    GET  linxup/account         {"person"} | 401
    GET  products, GET cart, POST cart/items {"sku", "quantity"}, DELETE cart/items/{id}
"""
